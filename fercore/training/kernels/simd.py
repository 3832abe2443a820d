"""Eight float32 at once in numba's code.

LLVM turns a loop over channels into such operations by itself only where it can prove that what is
written is not what is read, which it cannot for a dozen addresses at once.

Addresses count values from an array's beginning, as if it had one dimension; nothing checks them.
What numba keeps on disk does not notice a change in this file: touch what uses it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import models, overload, register_model

LANES = 8

# numba gives the first argument, which the decorator's own type leaves in.
intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = extending.intrinsic

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_FLAGS = ("reassoc", "contract", "nsz")  # as for the loops around


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_lanes = _Lanes()


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, values: Any, at: Any) -> Any:
    """values[at : at + LANES], of a contiguous float32 array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, values, *args), align=4)

    return _lanes(values, types.intp), code


@intrinsic
def store(typing: Any, values: Any, at: Any, lanes: Any) -> Any:
    """values[at : at + LANES] = lanes, of a contiguous float32 array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, values, *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(values, types.intp, _lanes), code


@intrinsic
def all_of(typing: Any, value: Any) -> Any:
    """The same value in all lanes."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        empty = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(empty, args[0], ir.IntType(32)(0))
        return builder.shuffle_vector(
            first, empty, ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
        )

    return _lanes(types.float32), code


def _operation(name: str) -> Callable[..., Any]:
    @intrinsic
    def operation(typing: Any, a: Any, b: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=_FLAGS)

        return _lanes(_lanes, _lanes), code

    return operation


_add, _subtract, _multiply = map(_operation, ("fadd", "fsub", "fmul"))


@overload(operator.add)
def _sum(a: Any, b: Any) -> Any:
    def lanes(a: Any, b: Any) -> Any:
        return _add(a, b)

    return lanes if a is _lanes and b is _lanes else None


@overload(operator.sub)
def _difference(a: Any, b: Any) -> Any:
    def lanes(a: Any, b: Any) -> Any:
        return _subtract(a, b)

    return lanes if a is _lanes and b is _lanes else None


@overload(operator.mul)
def _product(a: Any, b: Any) -> Any:
    def lanes(a: Any, b: Any) -> Any:
        return _multiply(a, b)

    def number(a: Any, b: Any) -> Any:
        return _multiply(all_of(a), b)

    if b is not _lanes:
        return None
    return lanes if a is _lanes else number if isinstance(a, types.Number) else None

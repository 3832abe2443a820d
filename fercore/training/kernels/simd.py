"""Eight float32 at once in numba's code.

LLVM turns a loop over channels into such operations by itself only where it can prove that what is
written is not what is read, which it cannot for a dozen addresses at once.

Addresses count values from an array's beginning, as if it had one dimension; nothing checks them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import models, overload, register_model

from fercore.training.kernels import FASTMATH

LANES = 8

# numba gives the first argument, which the decorator's own type leaves in.
intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = extending.intrinsic

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_lanes = _Lanes()
_start = types.CPointer(types.float32)  # type: ignore[no-untyped-call]


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


@intrinsic
def memory(typing: Any, values: Any) -> Any:
    """Where a contiguous float32 array begins.

    Functions that get this instead of the array do not count its references at each call. It does
    not keep the array, which numba frees after its last mention: for arguments and constants only.
    """
    floats = isinstance(values, types.Array) and values.dtype == types.float32
    if not (floats and values.layout == "C"):
        return None  # for numba: no such function of these types

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(values)(context, builder, args[0]).data

    return _start(values), code


def room(lanes: int) -> Callable[..., Any]:
    """A function that gives memory for so many times LANES values, until its caller returns."""

    @intrinsic
    def on_stack(typing: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            with builder.goto_entry_block():
                space = builder.alloca(_VECTOR, lanes)
            return builder.bitcast(space, ir.FloatType().as_pointer())

        return _start(), code

    return on_stack


def _lanes_at(builder: Any, start: Any, at: Any) -> Any:
    return builder.bitcast(builder.gep(start, [at]), _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, start: Any, at: Any) -> Any:
    """The LANES values from `at` on, counted from `start`, which is some `memory`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_lanes_at(builder, *args), align=4)

    return _lanes(start, types.intp), code


@intrinsic
def store(typing: Any, start: Any, at: Any, lanes: Any) -> Any:
    """Write the LANES values from `at` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _lanes_at(builder, *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(start, types.intp, _lanes), code


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
            return getattr(builder, name)(*args, flags=FASTMATH)

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

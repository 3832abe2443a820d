"""How few parameters does it take to read a facial expression?

Where to begin: `fercore.data.load` reads faces, `fercore.models.nearest` finds a network of a size,
`fercore.training.train.run` trains it, `fercore.predict` asks a trained one, `fercore.study` is
what a notebook calls. docs/start.md has an example.
"""

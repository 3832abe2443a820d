"""How few parameters does it take to read a facial expression?"""

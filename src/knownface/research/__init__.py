"""Research beside the product: the paper's experiments, and variants of networks in smaller numbers.

An experiment takes a bench and a data set, and returns a report. Nothing of the product imports this package; its
commands need the extras ``evaluation`` (reports) and ``quantize`` (variants).
"""

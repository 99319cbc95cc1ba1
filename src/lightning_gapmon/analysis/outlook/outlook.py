"""x"""
LEAST_BY = 1e-4
TAIL = 0.05

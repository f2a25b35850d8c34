"""Writes FunctionValues.swift: python3 functions.py > FunctionValues.swift (needs mpmath)."""
import random
from mpmath import mp, mpf, pi, exp, expm1, log, log1p, sqrt, atan, sin, cos, tanh, power
mp.prec = 700
random.seed(20240601)

def split(v, n):
    parts = []
    for _ in range(n):
        d = float(v) if abs(v) > mpf(2) ** -1022 else float(mp.floor(v * mpf(2) ** 1074 + mpf(1) / 2)) * 2.0 ** -1074
        parts.append(d)
        v -= mpf(d)
    return parts

def dd(v):
    return split(mpf(v), 2)

def near(v):
    return dd(mpf(v) * (1 + random.uniform(-1, 1) * mpf(2) ** random.randint(-110, -40)))

def uniform(a, b):
    return dd(mpf(random.uniform(a, b)) * (1 + mpf(random.uniform(-1, 1)) * mpf(2) ** -54))

def scale(a, b, signed=True):
    sign = random.choice([1, -1]) if signed else 1
    return dd(sign * mpf(2) ** random.randint(a, b) * mpf(random.uniform(1, 2)) * (1 + mpf(random.uniform(-1, 1)) * mpf(2) ** -54))

def h(d):
    return float(d).hex().replace('0x0.0p+0', '0').replace('.0000000000000p', 'p')

rows = {
    'exp': [lambda: uniform(-1, 1), lambda: uniform(-40, 40), lambda: uniform(-700, 709), lambda: uniform(-744, -600), lambda: scale(-200, -3)],
    'expm1': [lambda: uniform(-.5, .5), lambda: uniform(-60, 40), lambda: uniform(.3, .4), lambda: scale(-300, -3), lambda: uniform(0, 709)],
    'log': [lambda: scale(-1000, 1000, False), lambda: near(1), lambda: uniform(.6, 1.6), lambda: uniform(.99, 1.01), lambda: near(2)],
    'log1p': [lambda: scale(-300, -2), lambda: uniform(-.999, 1), lambda: scale(0, 900, False), lambda: near(-1), lambda: uniform(-.01, .01)],
    'sqrt': [lambda: scale(-1000, 1000, False), lambda: uniform(0, 2), lambda: near(4)],
    'atan': [lambda: uniform(-1, 1), lambda: scale(-300, 300), lambda: uniform(-4, 4), lambda: near(1), lambda: uniform(-.01, .01)],
    'sin': [lambda: uniform(-4, 4), lambda: uniform(-2**20, 2**20), lambda: scale(-300, 0), lambda: near(pi / 2 * random.randint(1, 667000)), lambda: dd(pi / 2 * random.randint(1, 667000))],
    'cos': [lambda: uniform(-4, 4), lambda: uniform(-2**20, 2**20), lambda: scale(-300, 0), lambda: near(pi / 2 * random.randint(1, 667000)), lambda: dd(pi / 2 * random.randint(1, 667000))],
    'tanh': [lambda: uniform(-1, 1), lambda: uniform(-60, 60), lambda: scale(-300, 0), lambda: uniform(.4, .6), lambda: uniform(-.02, .02)],
    'sigmoid': [lambda: uniform(-1, 1), lambda: uniform(-60, 60), lambda: scale(-300, 0), lambda: uniform(-744, 0), lambda: uniform(-10, 10)],
    'softplus': [lambda: uniform(-1, 1), lambda: uniform(-60, 60), lambda: scale(-300, 0), lambda: uniform(-744, 0), lambda: uniform(-10, 10)],
}
values = dict(exp=exp, expm1=expm1, log=log, log1p=log1p, sqrt=sqrt, atan=atan, sin=sin, cos=cos, tanh=tanh,
    sigmoid=lambda x: 1 / (1 + exp(-x)), softplus=lambda x: log1p(exp(x)))
def cancelling():
    a = scale(-20, 20)
    return a, near(-(mpf(a[0]) + mpf(a[1])))
pairs = {
    'pow': (power, [lambda: (uniform(0, 1), uniform(0, 5)), lambda: (scale(-900, 900, False), uniform(-1, 1)), lambda: (uniform(0, 100), uniform(-20, 20)),
                    lambda: (near(1), scale(-20, 20)), lambda: (uniform(0, 1), [random.choice([.25, .5, 1.5, 2., 3., 4.]), 0.])]),
    'add': (lambda a, b: a + b, [lambda: (scale(-20, 20), scale(-20, 20)), cancelling, lambda: (scale(-900, 900), scale(-900, 900)), lambda: ([random.randint(-9, 9) / 8, 0.], scale(-60, 5))]),
    'multiply': (lambda a, b: a * b, [lambda: (scale(-20, 20), scale(-20, 20)), lambda: (scale(-400, 400), scale(-400, 400)), lambda: ([random.randint(1, 9) / 8, 0.], scale(-60, 5))]),
    'divide': (lambda a, b: a / b, [lambda: (scale(-20, 20), scale(-20, 20)), lambda: (scale(-1000, -500), scale(-1000, -500)), lambda: (scale(-60, 5), [random.randint(1, 9) / 8, 0.]), lambda: (scale(500, 1000), scale(500, 1000))]),
}
def emit(name, arguments, value):
    print(' ', name, *[h(d) for a in arguments for d in a], *[h(d) for d in split(value, 3)])
print('''/// Functions of double-doubles to 159 bits: the name, each argument's two parts, three of the result.
///
/// Written by `functions.py`, beside this file.
let functionValues = """''')
def exact(a): return mpf(a[0]) + mpf(a[1])
for name, strata in rows.items():
    for i in range(220):
        a = strata[i % len(strata)]()
        if name == 'log1p' and exact(a) <= -1: a = dd(mpf(-1) + mpf(2) ** -60)
        emit(name, [a], values[name](exact(a)))
for name, (f, strata) in pairs.items():
    for i in range(220):
        a, b = strata[i % len(strata)]()
        v = f(exact(a), exact(b))
        if v != 0 and abs(log(abs(v), 2)) > 1000: continue
        emit(name, [a, b], v)
print('  """')

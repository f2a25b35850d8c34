/// The elementary functions: reduction by a table, then a short series.
///
/// Every error stated is relative; an absolute error of at most 2^−1070 adds to it. NaN and infinities pass as IEEE 754 has it for the C library.
extension DoubleDouble {
  /// e^x, to 2^−98.
  ///
  /// x = k ln 2 + j/64 + s, and e^x = 2^k e^(j/64) e^s.
  public static func exp(_ x: Self) -> Self {
    guard let (k, j, s) = reducedExponent(x) else {
      return Self(x.hi.isNaN ? x.hi : x.hi > 0 ? .infinity : 0)
    }
    return exp(j, s).scaled(by: k)
  }

  /// e^x − 1, to 2^−98 also near 0.
  public static func expm1(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x }
    guard let (k, j, s) = reducedExponent(x) else {
      return Self(x.hi.isNaN ? x.hi : x.hi > 0 ? .infinity : -1)
    }
    guard k == 0 else { return exp(j, s).scaled(by: k) - 1 }
    let tail = expm1Series(s)
    guard j != 0 else { return tail }
    let table = Table.expm1[j + 23]
    return table + (tail + table * tail)
  }

  /// k, j and s with x = k ln 2 + j/64 + s, |s| ≤ 2^−7; nil of NaN and where e^x is 0 or infinite.
  private static func reducedExponent(_ x: Self) -> (k: Int, j: Int, s: Self)? {
    guard x.hi.magnitude < 800 else { return nil }
    let k = (x.hi * 0x1.71547652b82fep0).rounded()
    var r = x
    if k != 0 {
      r = sum(x.hi, -k * Table.ln2.0) + sum(-k * Table.ln2.1, x.lo)
      r = r - Table.ln2Rest * k
    }
    let j = (r.hi * 64).rounded()
    return (Int(k), Int(j), r - Self(j * 0x1p-6))
  }

  private static func exp(_ j: Int, _ s: Self) -> Self {
    let tail = expm1Series(s)
    let table = Table.expm1[j + 23]
    return 1 + (table + (tail + table * tail))
  }

  /// Σ sⁿ/n! for n from 1, |s| ≤ 2^−7: from n = 7 on a double is enough.
  private static func expm1Series(_ s: Self) -> Self {
    let c = Table.inverseFactorial
    var tail = c[12].hi
    for n in stride(from: 11, through: 7, by: -1) { tail = tail * s.hi + c[n].hi }
    var sum = c[6] + s * tail
    for n in stride(from: 5, through: 2, by: -1) { sum = c[n] + s * sum }
    return s + (s * s) * sum
  }

  /// ln x, to 2^−98 also near 1.
  public static func log(_ x: Self) -> Self {
    guard x.hi > 0, x.hi.isFinite else {
      return Self(x.hi == 0 ? -.infinity : x.hi > 0 || x.hi.isNaN ? x.hi : .nan)
    }
    guard x.hi > 0x1p-900 else { return log(x.scaled(by: 200)) - ln2 * 200 }
    var k = Int(x.hi.exponent)
    if x.hi.significand > 0x1.6a09e667f3bcdp0 { k += 1 }
    let m = x.scaled(by: -k)
    return log1p(reduced: sum(m.hi - 1, m.lo), near: m.hi, exponent: k)
  }

  /// ln(1 + x), to 2^−98 also near 0.
  public static func log1p(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x }
    guard x.hi > -0.29, x.hi < 0.41 else { return log(1 + x) }
    return log1p(reduced: x, near: 1 + x.hi, exponent: 0)
  }

  /// k ln 2 + ln(1 + y) where `m` is 1 + y rounded, between √½ and √2.
  ///
  /// With a table's c near 1/m, z = c (1 + y) − 1 = c y + (c − 1) is below 2^−7 and loses nothing
  /// against y; ln(1 + z) = 2 atanh w with w = z/(2 + z).
  private static func log1p(reduced y: Self, near m: Double, exponent k: Int) -> Self {
    let j = (m * 128).rounded()
    let c = (65536 / j).rounded() * 0x1p-9
    let z = j == 128 ? y : y * c + Self(c - 1)
    let w = z / (2 + z)
    let series = w + w
    let square = w * w
    let inverse = Table.inverse
    var tail = inverse[15].hi
    for n in stride(from: 13, through: 9, by: -2) { tail = tail * square.hi + inverse[n].hi }
    var sum = inverse[7] + square * tail
    sum = inverse[5] + square * sum
    sum = inverse[3] + square * sum
    let log1pz = series + series * (square * sum)
    let near = j == 128 ? log1pz : Table.logarithm[Int(j) - 90] + log1pz
    return k == 0 ? near : (ln2 * Double(k)) + near
  }

  /// x^y for x ≥ 0, to 2^−90; exact where y is 0, 1 or x is 1.
  public static func pow(_ x: Self, _ y: Self) -> Self {
    if y.hi == 0 || x == 1 { return 1 }
    guard x.hi > 0, x.hi.isFinite, y.hi.isFinite else {
      if x.hi < 0 { return .nan }
      if y.hi.isInfinite, x.hi == 1 { return Self((x.lo > 0) == (y.hi > 0) ? .infinity : 0) }
      return Self(Double.pow(x.hi.magnitude, y.hi))
    }
    if y.lo == 0 {
      if y.hi == 1 { return x }
      if y.hi == 2 { return x * x }
      if y.hi == 0.5 { return sqrt(x) }
    }
    return exp(y * log(x))
  }

  /// The arc tangent, to 2^−98 also near 0.
  ///
  /// For |x| ≤ 1: atan t + atan((x − t)/(1 + x t)) with t = j/64; else ±π/2 − atan(1/x).
  public static func atan(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x }
    if x.hi < 0 { return -atan(-x) }
    if x.hi > 1 { return x.hi > 0x1p200 ? halfPi : halfPi - atan(1 / x) }
    let j = (x.hi * 64).rounded()
    let t = Self(j * 0x1p-6)
    let w = j == 0 ? x : (x - t) / (1 + x * t)
    let square = w * w
    let inverse = Table.inverse
    var tail = -inverse[15].hi
    var sign = 1.0
    for n in stride(from: 13, through: 9, by: -2) {
      tail = tail * square.hi + sign * inverse[n].hi
      sign = -sign
    }
    var sum = -inverse[7] + square * tail
    sum = inverse[5] + square * sum
    sum = -inverse[3] + square * sum
    let atanw = w + w * (square * sum)
    return j == 0 ? atanw : Table.arctangent[Int(j)] + atanw
  }

  /// The sine, to 2^−98 for |x| ≤ 2^20; the C library's of `hi` from 2^52 on.
  public static func sin(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x }
    guard let (quadrant, r) = reducedAngle(x) else { return Self(Double.sin(x.hi)) }
    let value = quadrant & 1 == 0 ? sinReduced(r) : cosReduced(r)
    return quadrant & 2 == 0 ? value : -value
  }

  /// The cosine, to 2^−98 for |x| ≤ 2^20; the C library's of `hi` from 2^52 on.
  public static func cos(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x.isNaN ? x : 1 }
    guard let (quadrant, r) = reducedAngle(x) else { return Self(Double.cos(x.hi)) }
    let value = quadrant & 1 == 0 ? cosReduced(r) : sinReduced(r)
    return (quadrant + 1) & 2 == 0 ? value : -value
  }

  /// k mod 4 and r with x = k π/2 + r, |r| ≤ π/4; nil of NaN and from 2^52 on.
  ///
  /// Three parts of π/2 have exact multiples by k. Where much cancels, everything is summed exactly.
  private static func reducedAngle(_ x: Self) -> (quadrant: Int, r: Self)? {
    guard x.hi.magnitude < 0x1p52 else { return nil }
    guard x.hi.magnitude > 0.785 else { return (0, x) }
    let k = (x.hi * 0x1.45f306dc9c883p-1).rounded()
    let quadrant = Int(k) & 3
    if k.magnitude < 0x1p20 {
      let first = sum(x.hi - k * Table.halfPi.0, -k * Table.halfPi.1)
      let second = first + sum(x.lo, -k * Table.halfPi.2)
      let r = second - Table.halfPiRest * k
      if r.hi.magnitude > 0x1p-6 { return (quadrant, r) }
    }
    var terms = [x.hi, x.lo]
    for part in Table.halfPiExpansion {
      let p = product(-k, part)
      terms.append(p.hi)
      terms.append(p.lo)
    }
    return (quadrant, distilled(&terms))
  }

  /// The sum of the terms as if exact: error-free passes until the leading terms stand alone.
  private static func distilled(_ terms: inout [Double]) -> Self {
    for _ in terms.indices {
      for i in terms.indices.dropFirst().reversed() {
        let s = sum(terms[i - 1], terms[i])
        terms[i - 1] = s.hi
        terms[i] = s.lo
      }
    }
    var total = Self(0)
    for term in terms.reversed() { total = total + Self(term) }
    return total
  }

  private static func sinReduced(_ r: Self) -> Self {
    if r.hi < 0 { return -sinReduced(-r) }
    let j = (r.hi * 32).rounded()
    let s = r - Self(j * 0x1p-5)
    guard j != 0 else { return sinSeries(s) }
    return Table.sine[Int(j)] * cosSeries(s) + Table.cosine[Int(j)] * sinSeries(s)
  }

  private static func cosReduced(_ r: Self) -> Self {
    if r.hi < 0 { return cosReduced(-r) }
    let j = (r.hi * 32).rounded()
    let s = r - Self(j * 0x1p-5)
    guard j != 0 else { return cosSeries(s) }
    return Table.cosine[Int(j)] * cosSeries(s) - Table.sine[Int(j)] * sinSeries(s)
  }

  /// |s| ≤ 2^−6: from s⁹ on a double is enough.
  private static func sinSeries(_ s: Self) -> Self {
    let c = Table.inverseFactorial
    let square = s * s
    let q = square.hi
    let tail = c[9].hi - q * (c[11].hi - q * (c[13].hi - q * c[15].hi))
    let sum = c[3] - square * (c[5] - square * (c[7] - square * tail))
    return s - s * (square * sum)
  }

  private static func cosSeries(_ s: Self) -> Self {
    let c = Table.inverseFactorial
    let square = s * s
    let q = square.hi
    let tail = c[8].hi - q * (c[10].hi - q * (c[12].hi - q * c[14].hi))
    let sum = c[2] - square * (c[4] - square * (c[6] - square * tail))
    return 1 - square * sum
  }

  /// The hyperbolic tangent, to 2^−98 also near 0.
  public static func tanh(_ x: Self) -> Self {
    guard x.hi.magnitude > 0x1p-400 else { return x }
    if x.hi < 0 { return -tanh(-x) }
    let twice = x + x
    if x.hi < 0.5 {
      let e = expm1(twice)
      return e / (e + 2)
    }
    return 1 - 2 / (exp(twice) + 1)
  }

  /// 1 / (1 + e^−x), to 2^−98.
  public static func sigmoid(_ x: Self) -> Self {
    if x.hi < 0 {
      let e = exp(x)
      return e / (1 + e)
    }
    return 1 / (1 + exp(-x))
  }

  /// ln(1 + e^x), to 2^−98.
  public static func softplus(_ x: Self) -> Self {
    x.hi > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
  }

  /// ln Σ e^xⱼ: an error of at most 2^−105 of the largest argument, and of 2^−98 + n 2^−104 of its
  /// distance from the result.
  public static func logSumExp(_ x: [Self]) -> Self {
    let (largest, tail) = logSumExpParts(x)
    return largest.isFinite ? largest + tail : largest
  }

  /// The largest argument m and log1p(Σ e^(xⱼ−m)) over the others.
  static func logSumExpParts(_ x: [Self]) -> (largest: Self, tail: Self) {
    guard var best = x.indices.first else { return (-.infinity, 0) }
    for j in x.indices {
      if x[j].isNaN { return (x[j], 0) }
      if x[best] .< x[j] { best = j }
    }
    let m = x[best]
    guard m.isFinite else { return (m, 0) }
    var others: Self = 0
    for j in x.indices where j != best { others = others + exp(x[j] - m) }
    return (m, log1p(others))
  }
}

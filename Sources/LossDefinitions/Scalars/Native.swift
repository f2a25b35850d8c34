#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

// The C library's functions, named apart from the static functions that call them.
private func cExp(_ x: Double) -> Double { exp(x) }
private func cExpm1(_ x: Double) -> Double { expm1(x) }
private func cLog(_ x: Double) -> Double { log(x) }
private func cLog1p(_ x: Double) -> Double { log1p(x) }
private func cPow(_ x: Double, _ y: Double) -> Double { pow(x, y) }
private func cAtan(_ x: Double) -> Double { atan(x) }
private func cSin(_ x: Double) -> Double { sin(x) }
private func cCos(_ x: Double) -> Double { cos(x) }
private func cTanh(_ x: Double) -> Double { tanh(x) }

/// Functions are the C library's.
extension Double: Scalar {
  public static func .< (a: Double, b: Double) -> Bool { a < b }
  public static func select(_ condition: Bool, _ a: Double, _ b: Double) -> Double {
    condition ? a : b
  }
  public static func sqrt(_ x: Double) -> Double { x.squareRoot() }
  public static func exp(_ x: Double) -> Double { cExp(x) }
  public static func expm1(_ x: Double) -> Double { cExpm1(x) }
  public static func log(_ x: Double) -> Double { cLog(x) }
  public static func log1p(_ x: Double) -> Double { cLog1p(x) }
  public static func pow(_ x: Double, _ y: Double) -> Double { cPow(x, y) }
  public static func atan(_ x: Double) -> Double { cAtan(x) }
  public static func sin(_ x: Double) -> Double { cSin(x) }
  public static func cos(_ x: Double) -> Double { cCos(x) }
  public static func tanh(_ x: Double) -> Double { cTanh(x) }
  public static func sigmoid(_ x: Double) -> Double { nativeSigmoid(x) }
  public static func softplus(_ x: Double) -> Double { nativeSoftplus(x) }
  public static func logSumExp(_ x: [Double]) -> Double { nativeLogSumExp(x) }
  public var detached: Double { self }
  public var primal: Double { self }
}

/// Functions are the C library's, in single precision.
extension Float: Scalar {
  public static func .< (a: Float, b: Float) -> Bool { a < b }
  public static func select(_ condition: Bool, _ a: Float, _ b: Float) -> Float {
    condition ? a : b
  }
  public static func sqrt(_ x: Float) -> Float { x.squareRoot() }
  public static func exp(_ x: Float) -> Float { expf(x) }
  public static func expm1(_ x: Float) -> Float { expm1f(x) }
  public static func log(_ x: Float) -> Float { logf(x) }
  public static func log1p(_ x: Float) -> Float { log1pf(x) }
  public static func pow(_ x: Float, _ y: Float) -> Float { powf(x, y) }
  public static func atan(_ x: Float) -> Float { atanf(x) }
  public static func sin(_ x: Float) -> Float { sinf(x) }
  public static func cos(_ x: Float) -> Float { cosf(x) }
  public static func tanh(_ x: Float) -> Float { tanhf(x) }
  public static func sigmoid(_ x: Float) -> Float { nativeSigmoid(x) }
  public static func softplus(_ x: Float) -> Float { nativeSoftplus(x) }
  public static func logSumExp(_ x: [Float]) -> Float { nativeLogSumExp(x) }
  public var detached: Float { self }
  public var primal: Double { Double(self) }
}

@inline(__always)
private func nativeSigmoid<F: Scalar & BinaryFloatingPoint>(_ x: F) -> F {
  let e = F.exp(-x.magnitude)
  return (x < 0 ? e : 1) / (1 + e)
}

@inline(__always)
private func nativeSoftplus<F: Scalar & BinaryFloatingPoint>(_ x: F) -> F {
  let tail = F.log1p(F.exp(-x.magnitude))
  return x > 0 ? x + tail : tail
}

@inline(__always)
private func nativeLogSumExp<F: Scalar & BinaryFloatingPoint>(_ x: [F]) -> F {
  guard let largest = indexOfLargest(x) else { return -.infinity }
  let m = x[largest]
  guard m.isFinite else { return m }
  var others: F = 0
  for j in x.indices where j != largest { others += F.exp(x[j] - m) }
  return m + F.log1p(others)
}

/// The first index of the largest primal, or of a NaN; nil of no entries.
func indexOfLargest<S: Scalar>(_ x: [S]) -> Int? {
  guard var best = x.indices.first else { return nil }
  var bestValue = x[best].primal
  for j in x.indices {
    let value = x[j].primal
    if value.isNaN { return j }
    if value > bestValue { (best, bestValue) = (j, value) }
  }
  return best
}

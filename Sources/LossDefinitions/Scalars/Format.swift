/// A binary floating-point format that a program may compute in; each one's numbers are Doubles.
public enum Format: String, Sendable, Codable, CaseIterable {
  case f16, bf16, f32, f64

  /// Bits of the significand, the leading one included.
  public var precision: Int {
    switch self {
    case .f16: 11
    case .bf16: 8
    case .f32: 24
    case .f64: 53
    }
  }

  /// Bits of a number.
  public var width: Int {
    switch self {
    case .f16, .bf16: 16
    case .f32: 32
    case .f64: 64
    }
  }

  var leastExponent: Int {
    switch self {
    case .f16: -14
    case .bf16, .f32: -126
    case .f64: -1022
    }
  }

  /// Half an ulp of 1: what a rounding may be off by, relatively.
  public var unit: Double { Double(sign: .plus, exponent: -precision, significand: 1) }

  public var leastNormal: Double {
    Double(sign: .plus, exponent: leastExponent, significand: 1)
  }

  /// The smallest positive number.
  public var leastNonzero: Double {
    Double(sign: .plus, exponent: leastExponent - precision + 1, significand: 1)
  }

  /// The largest finite number.
  public var greatest: Double {
    Double(sign: .plus, exponent: 1 - leastExponent, significand: 2 - 2 * unit)
  }

  /// The unit in the last place of a number of this size, no smaller than the smallest number.
  public func ulp(of size: Double) -> Double {
    guard size.isFinite else { return .infinity }
    guard size.magnitude > leastNormal else { return leastNonzero }
    return Double(
      sign: .plus, exponent: Int(size.exponent) - precision + 1, significand: 1)
  }

  /// The nearest number of the format, ties to even; an infinity beyond the largest.
  public func rounded(_ x: Double) -> Double {
    guard self != .f64, x.isFinite, x != 0 else { return x }
    let step = ulp(of: x)
    let nearest = (x / step).rounded(.toNearestOrEven) * step
    return nearest.magnitude > greatest ? .infinity * nearest : nearest
  }

  public func isSubnormal(_ x: Double) -> Bool { x != 0 && x.magnitude < leastNormal }

  /// The bits of a number of the format, sign first.
  public func bits(of x: Double) -> UInt64 {
    switch self {
    case .f64: return x.bitPattern
    case .f32: return UInt64(Float(x).bitPattern)
    case .bf16:
      let bits = Float(x).bitPattern
      return UInt64(x.isNaN ? bits >> 16 | 0x40 : bits >> 16)
    case .f16:
      let sign: UInt64 = x.sign == .minus ? 0x8000 : 0
      if x.isNaN { return sign | 0x7e00 }
      if x.isInfinite { return sign | 0x7c00 }
      if x.magnitude < leastNormal { return sign | UInt64(x.magnitude / leastNonzero) }
      let fraction = x.magnitude.significandBitPattern >> 42
      return sign | UInt64(Int(x.exponent) + 15) << 10 | fraction
    }
  }

  /// The number with the given bits.
  public func number(bits: UInt64) -> Double {
    switch self {
    case .f64: return Double(bitPattern: bits)
    case .f32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .bf16: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
    case .f16:
      let sign: Double = bits & 0x8000 == 0 ? 1 : -1
      let exponent = Int(bits >> 10 & 0x1f)
      let fraction = Double(bits & 0x3ff)
      if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
      if exponent == 0 { return sign * fraction * leastNonzero }
      return sign * Double(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }
}

/// How a program rounds: its format, and what it may do besides.
public struct Rounding: Sendable, Equatable {
  public var format: Format
  /// Whether subnormal operands and results may be taken as 0.
  public var flushes: Bool
  /// Whether results that are exact may be off by an ulp all the same, as those of another order of
  /// the same operations are. Sums with 0 and products with powers of two stay exact.
  public var everywhere: Bool

  public init(_ format: Format, flushes: Bool = false, everywhere: Bool = false) {
    self.format = format
    self.flushes = flushes
    self.everywhere = everywhere
  }
}

extension Item {
  /// Every number rounded to the format; a target that is a class index stays.
  public func rounded(to format: Format, targetIsIndex: Bool = false) -> Item {
    Item(
      prediction.map { format.rounded($0) },
      targetIsIndex ? target : target.map { format.rounded($0) })
  }
}

extension Loss {
  /// This loss with its hyperparameters rounded, as a program in that format reads them.
  public func rounded(to format: Format) -> Self {
    var rounded = self
    for parameter in Self.hyperparameters {
      rounded[keyPath: parameter.path] = format.rounded(self[keyPath: parameter.path])
    }
    return rounded
  }
}

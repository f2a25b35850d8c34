/// An unevaluated sum of two vectors, the low part at most half an ulp of the high one: about twice the
/// bits of an element.
///
/// An operation errs by a few 2^(−2p) of its larger operand, with p the bits of an element, as long
/// as nothing over- or underflows.
public struct TwoWords<V: Lanes> {
  public var high, low: V

  @inline(always) public init(_ high: V, _ low: V = .zero) {
    self.high = high
    self.low = low
  }

  /// A constant, given with the rest that a Double leaves.
  @inline(always) public init(constant: Double, _ rest: Double) {
    let rounded = V.Element(constant)
    self.init(V(repeating: rounded), V((constant - Double(rounded)) + rest))
  }

  /// The sum of two words of any sizes.
  @inline(always) public static func sum(_ a: V, _ b: V) -> Self {
    let (high, low) = V.twoSum(a, b)
    return Self(high, low)
  }

  /// The sum of two words, the first the larger.
  @inline(always) public static func quickSum(_ a: V, _ b: V) -> Self {
    let (high, low) = V.quickTwoSum(a, b)
    return Self(high, low)
  }

  @inline(always) public static func + (a: Self, b: Self) -> Self {
    let (high, low) = V.twoSum(a.high, b.high)
    return quickSum(high, low + (a.low + b.low))
  }

  @inline(always) public static func - (a: Self, b: Self) -> Self { a + -b }
  @inline(always) public static prefix func - (a: Self) -> Self { Self(-a.high, -a.low) }

  @inline(always) public static func * (a: Self, b: Self) -> Self {
    let (high, low) = V.twoProduct(a.high, b.high)
    return quickSum(high, low + (a.high * b.low + a.low * b.high))
  }

  /// The product with a power of two.
  @inline(always) public func times(_ power: Double) -> Self {
    Self(high * V(power), low * V(power))
  }

  @inline(always) public static func square(_ a: Self) -> Self { a * a }

  @inline(always) public static func / (a: Self, b: Self) -> Self {
    let first = a.high / b.high
    let (product, low) = V.twoProduct(first, b.high)
    let rest = ((a.high - product) - low) + (a.low - first * b.low)
    return quickSum(first, rest / b.high)
  }

  /// The root of a positive number.
  @inline(always) public static func sqrt(_ a: Self) -> Self {
    let first = V.sqrt(a.high)
    let (product, low) = V.twoProduct(first, first)
    let rest = ((a.high - product) - low) + a.low
    return quickSum(first, rest / (first + first))
  }

  @inline(always) public static func larger(_ a: Self, _ b: Self) -> Self {
    select((a.high .< b.high) | ((a.high .== b.high) & (a.low .< b.low)), b, a)
  }

  @inline(always) public static func smaller(_ a: Self, _ b: Self) -> Self {
    select((b.high .< a.high) | ((a.high .== b.high) & (b.low .< a.low)), b, a)
  }

  @inline(always) public static func magnitude(_ a: Self) -> Self {
    select(a.high .< .zero, -a, a)
  }

  @inline(always) public static func select(_ mask: V.Mask, _ a: Self, _ b: Self) -> Self {
    Self(V.select(mask, a.high, b.high), V.select(mask, a.low, b.low))
  }
}

/// Balanced L1: a logarithmic slope for small differences, a constant one for large.
///
///     L = (α/b) (b d + 1) ln(b d/β + 1) − α d          where d < β       (MMDetection, Libra R-CNN)
///     L = β (α/b) (b d/β + 1) ln(b d/β + 1) − α d      where d < β       (continuous slope)
///     L = γ d + C                                      elsewhere,  d = |x − t|
///
/// with b = e^(γ/α) − 1, which makes the slope of the logarithm γ at β, and the C that makes L
/// continuous. At β = 1, the paper's loss, both forms are one. d and β are in units of x.
///
/// Source: Pang et al. 2019, Libra R-CNN, arXiv 1904.02701, section 3.3.
/// Chapter: `Spec/Elements/BalancedL1.md`.
public struct BalancedL1: ElementLoss {
  public static let name = "balanced_l1"
  public static let targetGradient = TargetGradient.negated
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("alpha", \.alpha, in: 0x1p-10...0x1p10, grid: [0.25, 0.5, 1]),
    Hyperparameter("gamma", \.gamma, in: 0x1p-10...0x1p10, grid: [0.5, 1, 1.5]),
    Hyperparameter("beta", \.beta, in: 0x1p-20...0x1p20, grid: [0.11, 0.5, 1, 2]),
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "mmdet", "balanced_l1_loss", "pred", "target", parameters: ["beta", "alpha", "gamma"],
      note: "The form with b d + 1 before the logarithm; defaults β = 1, α = 0.5, γ = 1.5."
    ) { call in
      var loss = Self()
      loss.form = .libra
      loss.alpha = try call.number("alpha", default: 0.5)
      loss.gamma = try call.number("gamma", default: 1.5)
      loss.beta = try call.number("beta", default: 1)
      return loss
    }
  ]

  public enum Form: Sendable {
    /// The slope is continuous for every β.
    case smooth
    /// MMDetection's and Libra R-CNN's: for β ≠ 1 there are kinks at 0 and at β.
    case libra
  }

  public var form = Form.smooth { didSet { constants = Constants(self) } }
  public var alpha = 0.5 { didSet { constants = Constants(self) } }
  public var gamma = 1.5 { didSet { constants = Constants(self) } }
  public var beta = 1.0 { didSet { constants = Constants(self) } }
  @usableFromInline var constants: Constants

  public init() {
    constants = Constants(.smooth, alpha: 0.5, gamma: 1.5, beta: 1)
  }

  // MARK: Reference

  // Near 0 the difference has no digit left; there (1 + u) ln(1 + u) − u is u²/2 − u³/6 + u⁴/12 − …
  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let (α, β, γ) = (S(alpha), S(beta), S(gamma))
    let b = S.expm1(γ / α)
    let d = S.abs(x - t)
    // Where d is not below β the logarithm is not used.
    let u = b * S.min(d, β) / β
    let logarithm = S.log1p(u)
    let (square, cube): (S, S) = (u * u / S(2), u * u * u / S(6))
    let series: S = square - cube + cube * u / S(2)
    let isTiny = u .< S(0x1p-26)
    let scale = α / b
    switch form {
    case .smooth:
      let inner = β * scale * (b * d / β + 1) * logarithm - α * d
      let near = S.select(isTiny, β * scale * series, inner)
      return .select(d .< β, near, γ * d + β * (γ / b - α))
    case .libra:
      let inner = scale * (b * d + 1) * logarithm - α * d
      let tiny = scale * (β * series + (1 - β) * logarithm)
      let near = S.select(isTiny, tiny, inner)
      return .select(d .< β, near, γ * d + γ / b - α * β)
    }
  }

  // MARK: Optimized

  // With u = b d/β and f(u) = (1 + u) ln(1 + u) − u the inner part is (α/b) β f(u), and in Libra's form
  // (α/b) (β f(u) + (1 − β) ln(1 + u)). The slopes are α ln(1 + u), and
  // α (ln(1 + u) + (1 − β) / (β (1 + u))). All in double words, but for f near 0.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    typealias Two = TwoWords<V>
    let difference = Two.sum(x, -t)
    let sign = V.copySign(.one, from: difference.high)
    let isFinite = V.abs(difference.high) .< V(repeating: .infinity)
    let d = Two(sign * difference.high, V.select(isFinite, sign * difference.low, .zero))
    let isInner = ((d.high - V(beta)) + d.low) .< .zero

    let u = d * Two(constant: constants.rate)
    let (logarithm, logarithmLow) = V.log1pParts(u.high)
    let l = Two.quickSum(logarithm, logarithmLow + u.low / (V.one + u.high))
    let large = (Two.sum(.one, u.high) + Two(u.low)) * l - u
    // With s = u / (2 + u), 1 + u = (1 + s) / (1 − s) and ln(1 + u) = 2s + s³ (2/3 + s² p(s²)):
    // (1 − s) f = 2s² + (1 + s) s³ (2/3 + s² p(s²)), without a difference.
    let s = u.high / (V(2) + u.high)
    let z = s * s
    let tail = s * z * (V(2.0 / 3) + z * V.logarithmTail(z))
    let small = ((z + z) + (V.one + s) * tail) / (V.one - s) + logarithm * u.low
    let f = Two.select(u.high .< V(0.375), Two(small), large)

    var inner: V
    var slope = V(alpha) * l.high
    switch form {
    case .smooth:
      inner = (f * Two(constant: constants.factor)).high
    case .libra:
      let sum = f * Two(V(beta)) + l * Two(constant: constants.rest)
      inner = beta > 1 ? aroundRoot(u, sum.high) : sum.high
      inner = V(constants.factor.hi) * inner
      slope = slope + V(constants.kink.hi) / (V.one + u.high)
    }
    let outer = d * Two(V(gamma)) + Two(constant: constants.offset)
    let loss = V.select(isInner, inner, V.select(isFinite, outer.high, d.high))
    slope = V.select(isInner, slope, V(gamma))
    // 0 at the kink of equal numbers, NaN of NaN.
    return (loss, V.sign(difference.high) * slope)
  }

  /// g = β f + (1 − β) ln(1 + u) near its root v, where nothing is left of the difference: with
  /// e = u − v, w = e / (1 + v) and q = ln(1 + w), g = g'(v) e + (1 + β v) (q − w) + β e q exactly.
  @inline(always)
  public func aroundRoot<V: Lanes>(_ u: TwoWords<V>, _ elsewhere: V) -> V {
    let root = V(constants.root.hi)
    let difference = u - TwoWords(constant: constants.root)
    let e = difference.high
    let w = e / (V.one + root)
    let s = w / (V(2) + w)
    let z = s * s
    let rest = s * z * (V(2.0 / 3) + z * V.logarithmTail(z)) - (z + z) / (V.one - s)
    let inside =
      V(constants.rise.hi) * e
      + (V(constants.weight.hi) * rest + V(beta) * e * (w + rest))
    return V.select(V.abs(e) .< V(0.25) * root, inside, elsewhere)
  }

  public func gradientTerms<S: Scalar>(_ x: S, _ t: S) -> S? {
    guard form == .libra, beta > 1 else { return nil }
    let b = S.expm1(S(gamma) / S(alpha))
    let u = b * S.min(S.abs(x - t), S(beta)) / S(beta)
    return S(alpha) * (S.log1p(u) + (S(beta) - 1) / (S(beta) * (1 + u)))
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: beta, using: &random)
  }
}

extension BalancedL1 {
  /// What follows from the hyperparameters, in double-doubles.
  @usableFromInline struct Constants: Sendable {
    /// b/β, what the inner part is multiplied by, 1 − β, and α (1 − β) / β.
    @usableFromInline let rate, factor, rest, kink: DoubleDouble
    /// C.
    @usableFromInline let offset: DoubleDouble
    /// The root v > 0 of the inner part, g'(v) and 1 + β v; of Libra's form with β > 1 only.
    @usableFromInline var root, rise, weight: DoubleDouble

    init(_ loss: BalancedL1) {
      self.init(loss.form, alpha: loss.alpha, gamma: loss.gamma, beta: loss.beta)
    }

    init(_ form: Form, alpha: Double, gamma: Double, beta: Double) {
      let (α, γ, β) = (DoubleDouble(alpha), DoubleDouble(gamma), DoubleDouble(beta))
      let b = DoubleDouble.expm1(γ / α)
      rate = b / β
      factor = form == .smooth ? β * α / b : α / b
      rest = 1 - β
      kink = α * rest / β
      offset = form == .smooth ? β * (γ / b - α) : γ / b - α * β
      (root, rise, weight) = (1, 1, 1)
      guard form == .libra, beta > 1 else { return }
      // β f + (1 − β) ln(1 + u) is convex and positive at e − 1: Newton's steps fall to the root.
      root = DoubleDouble.expm1(1)
      for _ in 0..<64 {
        let l = DoubleDouble.log1p(root)
        rise = β * l + rest / (1 + root)
        weight = 1 + β * root
        let step = (weight * l - β * root) / rise
        if step.hi <= 0x1p-100 * root.hi { break }
        root = root - step
      }
    }
  }
}

extension TwoWords {
  /// A constant, rounded to two words.
  @inline(always) public init(constant: DoubleDouble) {
    let high = Double(V.Element(constant.hi))
    self.init(V(high), V((constant.hi - high) + constant.lo))
  }
}

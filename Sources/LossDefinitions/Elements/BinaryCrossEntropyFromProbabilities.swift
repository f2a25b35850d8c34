/// Binary cross-entropy of a probability, clipped or with its logarithms bounded.
///
///     L = t' min(−ln p', C) + (1 − t') min(−ln(1 − p'), C),   p' = clip(p, ε, 1 − η)
///
/// p in [0, 1] is a probability, t in [0, 1] a label or a probability, t' = t (1 − s) + s / 2 with s =
/// `labelSmoothing`; p is clipped at ε = `epsilon`, 1 − p at η = `upperEpsilon`, and −C = `logFloor` is
/// the least logarithm. The slope is 0 where p is clipped or a logarithm is at its floor. t is constant.
///
/// Source: torch `binary_cross_entropy` (C = 100), Keras `BinaryCrossentropy` (ε = 1e-7).
/// Chapter: `Spec/Elements/BinaryCrossEntropyFromProbabilities.md`.
public struct BinaryCrossEntropyFromProbabilities: ElementLoss {
  public static let name = "bce_probabilities"
  public static let targetGradient = TargetGradient.none
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...0.25, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("upperEpsilon", \.upperEpsilon, in: 0...0.25, grid: [0, 0x1p-23]),
    Hyperparameter("logFloor", \.logFloor, in: -1000...(-1), grid: [-100, -10]),
    Hyperparameter("labelSmoothing", \.labelSmoothing, in: 0...1, grid: [0, 0.1]),
  ]
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration(
        "epsilon = upperEpsilon = 1e-07, labelSmoothing = 0.1",
        Self(epsilon: 1e-7, upperEpsilon: 1e-7, labelSmoothing: 0.1))
    ]
  }
  public static let laws: [Law<Self>] = [
    .nonNegative,
    Law("L(1 − p, 1 − t) = L(p, t), with ε and η exchanged") { loss, item, values in
      let (p, t) = (item.prediction[0], item.target[0])
      guard isFloat(1 - p), isFloat(1 - t), 1 - (1 - p) == p, 1 - (1 - t) == t else {
        return .holds
      }
      var other = loss
      (other.epsilon, other.upperEpsilon) = (loss.upperEpsilon, loss.epsilon)
      return .equal(values.loose(loss, item), values.loose(other, Item([1 - p], [1 - t])))
    },
    Law("L ≤ C") { loss, item, values in
      .atLeast(Interval(-loss.logFloor), values.loose(loss, item))
    },
    Law("L(t, t) = 0 for t in {0, 1}, without clip and smoothing") { loss, item, values in
      guard loss.epsilon == 0, loss.upperEpsilon == 0, loss.labelSmoothing == 0 else {
        return .holds
      }
      let t = item.target[0].rounded()
      return .equal(values.value(loss, Item([t], [t])), 0)
    },
  ]
  public static let dialects: [Dialect] = [torch]

  public var epsilon = 0.0
  public var upperEpsilon = 0.0
  public var logFloor = -100.0
  public var labelSmoothing = 0.0

  public init() {}
  public init(
    epsilon: Double = 0, upperEpsilon: Double = 0, logFloor: Double = -100,
    labelSmoothing: Double = 0
  ) {
    self.epsilon = epsilon
    self.upperEpsilon = upperEpsilon
    self.logFloor = logFloor
    self.labelSmoothing = labelSmoothing
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: S, _ t: S) -> S {
    let smoothed = t * (1 - S(labelSmoothing)) + 0.5 * S(labelSmoothing)
    let (p, q) = clipped(p)
    let ceiling = S(-logFloor)
    return smoothed * .min(-.log(p), ceiling) + (1 - smoothed) * .min(-.log(q), ceiling)
  }

  /// p' and 1 − p'.
  private func clipped<S: Scalar>(_ p: S) -> (S, S) {
    let (epsilon, eta) = (S(epsilon), S(upperEpsilon))
    return (.clamp(p, epsilon, 1 - eta), .clamp(1 - p, eta, 1 - epsilon))
  }

  public func gradientTerms<S: Scalar>(_ p: S, _ t: S) -> S? {
    let smoothed = t * (1 - S(labelSmoothing)) + 0.5 * S(labelSmoothing)
    let (p, q) = clipped(p)
    return smoothed / p + (1 - smoothed) / q
  }

  // MARK: Optimized

  // Let r be the smaller of p and 1 − p, clipped at ε or η: a rounded 1 − p is used only above ½, where it
  // is exact. The near side's cost −ln(1 − r) = −log1p(−r) and the far side's −ln r then both keep
  // their relative accuracy, and clipping p at 1 − η is clipping r at η. With a the weight of the far
  // side and b that of the near one, dL/dr = b / (1 − r) − a / r.
  @inline(always)
  public func optimized<V: Lanes>(_ p: V, _ t: V) -> (loss: V, gradient: V) {
    let (kept, mixed) = (V(1 - labelSmoothing), V(0.5 * labelSmoothing))
    let positive = t * kept + mixed
    let negative = (V.one - t) * kept + mixed
    let isLow = p .< V(0.5)
    let a = V.select(isLow, positive, negative)
    let b = V.select(isLow, negative, positive)
    let side = V.select(isLow, p, V.one - p)
    let clip = V.select(isLow, V(epsilon), V(upperEpsilon))
    let r = V.max(side, clip)
    let far = -V.log(r)
    let isFree = clip .<= side
    let farSlope = V.select(far .< V(-logFloor), a / r, V.zero)
    let slope = V.select(isFree, b / (V.one - r) - farSlope, V.select(side .== side, V.zero, side))
    return (
      a * V.min(far, V(-logFloor)) - b * V.log1p(-r), .select(isLow, slope, -slope)
    )
  }

  public static var strata: [String] { probabilityStrata }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.probabilities(stratum, clip: Swift.max(epsilon, upperEpsilon), using: &random)
  }

  /// The value as defined; the slope is torch's own (p − t) / max(p (1 − p), 1e-12), which is not the
  /// derivative of the value where that is bounded; its 1e-12 is a single-precision number.
  private static var torch: Dialect {
    let plain = Dialect.elementwise(
      "torch", "binary_cross_entropy", "input", "target", weight: "weight",
      parameters: ["log_floor"]
    ) { try Self(logFloor: $0.number("log_floor", default: -100)) }
    let least = Double(1e-12 as Float)
    return Dialect(
      "torch", "binary_cross_entropy",
      """
      Logarithms are at least −100; the slope is (p − t) / max(p (1 − p), 1e-12) also there. p \
      outside [0, 1] is rejected.
      """,
      inputs: plain.inputs, parameters: plain.parameters
    ) { call, evaluator in
      let (p, t) = (try call.tensor("input"), try call.tensor("target"))
      if let i = p.data.firstIndex(where: { !(0...1).contains($0) }) {
        throw Refusal.rejected("\"input\"[\(i)] is \(p.data[i]); expected a number in [0, 1]")
      }
      var answer = try plain.answer(call, with: evaluator)
      let entries = Tensor(p.shape, p.data.map { _ in 0 })
      let (_, factors) = try call.reduce(entries)
      let weights = call.inputs["weight"]?.data ?? p.data.map { _ in 1 }
      answer.gradients["input"]!.data = p.data.indices.map { i in
        let slope = (p.data[i] - t.data[i]) / Swift.max(p.data[i] * (1 - p.data[i]), least)
        return factors[i] * weights[i] * slope
      }
      return answer
    }
  }
}

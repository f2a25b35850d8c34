/// GHM-R: a smooth absolute error, each entry weighted by how rare its gradient is in the batch.
///
///     L = √(d² + μ²) − μ,  d = x − t
///     g = |d| / √(d² + μ²)                   the size of its slope, in [0, 1]
///     w = (Σ label weights) / (density of g's bin · non-empty bins)
///
/// μ is in units of x. The weights come from a `GradientHistogram`, a value that goes from batch to
/// batch; they are held constant. The batch's loss is Σ w L / Σ label weights.
///
/// Source: Li et al. 2018, Gradient Harmonized Single-stage Detector, arXiv 1811.05181, section 3.3;
/// MMDetection `GHMR`. Chapter: `Spec/Elements/GHMR.md`.
public struct GHMR: ElementLoss {
  public static let name = "ghm_r"
  public static let targetGradient = TargetGradient.negated
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("mu", \.mu, in: 0x1p-60...0x1p60, grid: [0.001, 0.02, 1])
  ]
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .convex,
    .between("|x − t| − μ ≤ L ≤ |x − t|") { loss, item, values in
      let d = values.loose(L1(), item)
      return (d - Interval(loss.mu), d)
    },
    .inequality("2 μ L ≤ (x − t)²") { loss, item, values in
      let twice = Interval<DoubleDouble>(2 * loss.mu)
      return [(values.loose(MeanSquaredError(), item), twice * values.loose(loss, item))]
    },
    .inequality("L ≤ SmoothL1 at β = μ") { loss, item, values in
      [(values.loose(SmoothL1(beta: loss.mu), item), values.loose(loss, item))]
    },
    Law("L(2x, 2t) at 2μ = 2 L(x, t) at μ") { loss, item, values in
      let twice = Item([2 * item.prediction[0]], [2 * item.target[0]])
      return .equal(
        values.loose(Self(mu: 2 * loss.mu), twice), 2 * values.loose(loss, item))
    },
  ]
  public static let dialects: [Dialect] = [
    Dialect(
      "mmdet", "GHMR",
      "Weights from a histogram that starts at 0; `mean` divides by Σ label weights.",
      inputs: ["pred", "target", "label_weight"], parameters: ["mu", "bins", "momentum"]
    ) { call, evaluator in
      let x = try call.tensor("pred")
      let t = try call.tensor("target", like: x.shape)
      let labels =
        call.inputs["label_weight"] == nil
        ? Tensor(x.shape, x.data.map { _ in 1 }) : try call.tensor("label_weight", like: x.shape)
      let loss = Self(mu: try call.number("mu", default: 0.02))
      let bins = try call.integer("bins", default: 10)
      let momentum = try call.number("momentum", default: 0)
      let step: GradientHistogram.Step
      do throws(InvalidInput) {
        step = try GradientHistogram(bins: bins, momentum: momentum).step(
          norms: zip(x.data, t.data).map { loss.slopeSize($0, $1) }, labelWeights: labels.data)
      } catch {
        throw Refusal.rejected(error.description)
      }
      let results = try evaluator.evaluate(loss, Self.items(x, t))
      let entries = zip(results, step.weights).map { $0.value * $1 }
      // MMDetection adds a Float's epsilon to the divisor.
      let divisor = Swift.max(step.total, 1) + 0x1p-23
      let (value, slopes) = try call.reduce(Tensor(x.shape, entries), divisor: divisor)
      let factors = zip(slopes, step.weights).map(*)
      return Answer(
        value,
        gradients: [
          "pred": Tensor(x.shape, zip(results, factors).map { $0.prediction[0] * $1 }),
          "target": Tensor(x.shape, zip(results, factors).map { $0.target[0] * $1 }),
        ])
    }
  ]

  /// Where the loss turns from a parabola to a line.
  public var mu = 0.02

  public init() {}
  public init(mu: Double) { self.mu = mu }

  /// g, what the histogram counts; NaN where x − t is not finite.
  public func slopeSize(_ x: Double, _ t: Double) -> Double {
    let d = x - t
    // From here on the square may overflow, and g is 1.
    if d.magnitude > 1e150 { return d.isFinite ? 1 : .nan }
    return (d / Double.sqrt(d * d + mu * mu)).magnitude
  }

  // MARK: Reference

  // √(d² + μ²) − μ has no digit left where d is below 1e-8 μ; times the sum, the difference is d².
  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = x - t
    return d * d / (.sqrt(d * d + S(mu) * S(mu)) + S(mu))
  }

  // MARK: Optimized

  // The root as m √(1 + (n/m)²) of the larger m and the smaller n of |d| and μ, so that no square
  // over- or underflows; then d (d / (root + μ)) and d / root.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let difference = x - t
    let d = V.abs(difference)
    let larger = V.max(d, V(mu))
    let ratio = V.min(d, V(mu)) / larger
    let root = larger * V.sqrt(V.one + ratio * ratio)
    let isFinite = d .< V(repeating: .infinity)
    let loss = V.select(isFinite, d * (d / (root + V(mu))), d)
    // NaN of NaN: there nothing is less than infinity.
    let slope = V.select(d .== V(repeating: .infinity), .one, d / root)
    return (loss, .copySign(slope, from: difference))
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: mu, using: &random)
  }
}

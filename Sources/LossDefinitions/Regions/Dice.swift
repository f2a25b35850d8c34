/// Dice: one minus twice the intersection over the sum of the sizes of two masks of fractions.
///
///     L = 1 − (2I + s) / (P + T + s + e),  I = Σ t p
///     P + T = Σ (p + t), or Σ (p² + t²) in the squared form
///
/// The sums run over all pixels and channels of a region; p and t are in [0, 1]; s is `smooth`, above
/// and below, and e is `epsilon`, below alone.
///
/// Source: Milletari, Navab and Ahmadi, "V-Net", 3DV 2016 (the squared form); Drozdzal et al., "The
/// importance of skip connections in biomedical image segmentation", 2016 (the linear form).
/// Chapter: Spec/Regions/Dice.md.
public struct Dice: RegionLoss {
  public static let name = "dice"
  public static let targetGradient = TargetGradient.exchanged

  /// What the sizes of the masks are made of.
  public enum Form: String, Sendable, CaseIterable {
    /// p + t.
    case linear
    /// p² + t².
    case squared
  }

  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("smooth", \.smooth, in: 0...1024, grid: [1e-5, 1]),
    Hyperparameter("epsilon", \.epsilon, in: 0...1024, grid: [0, 1e-7, 1e-3]),
  ]

  public static let configurations: [Configuration<Self>] =
    gridConfigurations + [
      Configuration("epsilon alone", Self(smooth: 0, epsilon: 1e-7)),
      Configuration("squared", Self(.squared)),
      Configuration("squared, smooth = 1e-05", Self(.squared, smooth: 1e-5)),
      Configuration("squared, epsilon alone", Self(.squared, smooth: 0, epsilon: 0.002)),
    ]

  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 1), .symmetric, .unorderedPixels,
    Law("L(m, m) = 0 for a mask m of zeros and ones, at epsilon 0") { loss, item, values in
      let mask = item.target.map { $0 < 0.5 ? 0.0 : 1 }
      return loss.epsilon == 0 ? .equal(values.value(loss, Item(mask, mask)), 0) : .holds
    },
    Law("L(t, t) = 0 in the squared form, at epsilon 0") { loss, item, values in
      guard loss.form == .squared, loss.epsilon == 0 else { return .holds }
      return .equal(values.value(loss, Item(item.target, item.target)), 0)
    },
    Law("L = 1 − (2I + s) / (P + T + s + e) in the squared form") { loss, item, values in
      typealias Bounds = Interval<DoubleDouble>
      guard loss.form == .squared else { return .holds }
      let (p, t) = (item.prediction.map { Bounds($0) }, item.target.map { Bounds($0) })
      let above = 2 * Bounds.sum(zip(p, t).map { $0 * $1 }) + Bounds(loss.smooth)
      let sizes = Bounds.sum((p + t).map { $0 * $0 })
      let literal = 1 - above / (sizes + Bounds(loss.smooth) + Bounds(loss.epsilon))
      return .equal(values.loose(loss, item), literal)
    },
    .atLeast("the linear form ≥ the squared form") {
      $0.form == .linear ? Dice(.squared, smooth: $0.smooth, epsilon: $0.epsilon) : nil
    },
    Law("both forms are one for masks of zeros and ones") { loss, item, values in
      let masks = Item(
        item.prediction.map { $0 < 0.5 ? 0 : 1 }, item.target.map { $0 < 0.5 ? 0 : 1 })
      var other = loss
      other.form = loss.form == .linear ? .squared : .linear
      return .equal(values.loose(loss, masks), values.loose(other, masks))
    },
  ]

  public static let dialects: [Dialect] = [
    .regions(
      "keras", "Dice", "y_pred", "y_true", axis: ("axis", nil), parameters: ["epsilon"],
      note:
        "One value for the whole batch, or one an image; epsilon below alone: two empty masks cost 1."
    ) { Dice(smooth: 0, epsilon: try $0.number("epsilon", default: 1e-7)) }
  ]

  public var form = Form.linear
  public var smooth = 1.0
  public var epsilon = 0.0

  public init() {}

  public init(_ form: Form = .linear, smooth: Double = 1, epsilon: Double = 0) {
    self.form = form
    self.smooth = smooth
    self.epsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: [S], _ t: [S]) -> S {
    let (s, e) = (S(smooth), S(epsilon))
    let sizes = S.sum(zip(t, p).map { size($0) + size($1) })
    switch form {
    case .linear:
      let intersection = S.sum(zip(t, p).map { $0 * $1 })
      return 1 - (2 * intersection + s) / (sizes + s + e)
    case .squared:
      // P + T − 2I is the squared distance, which keeps its digits where p comes near t.
      let distance = S.sum(zip(t, p).map { S.square($0 - $1) })
      return (distance + e) / (sizes + s + e)
    }
  }

  private func size<S: Scalar>(_ x: S) -> S { form == .linear ? x : x * x }

  public func gradientTerms<S: Scalar>(_ p: [S], _ t: [S]) -> [S] {
    let kept = 2 * S.sum(zip(t, p).map { $0 * $1 }) + S(smooth)
    let all = S.sum(zip(t, p).map { size($0) + size($1) }) + S(smooth) + S(epsilon)
    let lost = all - kept
    return zip(p, t).map { p, t in
      switch form {
      case .linear: ((1 - t) * kept + t * (all + lost)) / (all * all)
      case .squared: 2 * S.abs(p - t) / all + 2 * p * lost / (all * all)
      }
    }
  }

  // MARK: Optimized

  // With d = t (1 − p) + p (1 − t), or (p − t)², the sizes are 2I + Σ d: the loss is what is lost,
  // n = Σ d + e, over n + m with m = 2I + s, and no term of either is negative.

  @inline(always)
  public func terms<V: Lanes>(_ p: V, _ t: V) -> (V, V, V) {
    switch form {
    case .linear: return (t * p, t * (.one - p) + p * (.one - t), .zero)
    case .squared:
      let d = p - t
      return (t * p, d * d, .zero)
    }
  }

  @inline(always)
  public func combine<V: Lanes>(_ sums: (V, V, V)) -> (loss: V, slopes: (V, V)) {
    let (intersection, difference, _) = sums
    let lost = difference + V(epsilon)
    let kept = (intersection + intersection) + V(smooth)
    let all = kept + lost
    let inverse = V.one / all
    let keptPart = kept / all * inverse
    let lostPart = lost / all * inverse
    switch form {
    case .linear: return (lost / all, (keptPart, inverse + lostPart))
    case .squared: return (lost / all, (keptPart + keptPart, lostPart + lostPart))
    }
  }

  /// (m d′ − 2n t) / (n + m)², with d′ = (1 − t) − t, where m and 2n combine, or 2 (p − t).
  @inline(always)
  public func slope<V: Lanes>(_ p: V, _ t: V, _ slopes: (V, V)) -> V {
    switch form {
    case .linear: (.one - t) * slopes.0 - t * slopes.1
    case .squared: (p - t) * slopes.0 - t * slopes.1
    }
  }
}

/// Kalman-filter IoU: the overlap of two boxes as the volumes of normal distributions about one centre.
///
///     K = V / (w h + W H − V + ε),   V = 4 √|Σ₁ (Σ₁ + Σ₂)⁻¹ Σ₂|
///     L = 1 − K,  −ln(K + ε)  or  exp(1 − K) − 1
///
/// Σ = R(θ) diag(w²/4, h²/4) R(θ)ᵀ; V is the volume of the product of the two distributions. K is at
/// most 1/3. The centres do not enter. Nothing is held constant.
///
/// Source: Yang et al., *The KFIoU Loss for Rotated Object Detection*, 2022.
/// Chapter: `Spec/RotatedBoxes/KFIoU.md`.
public struct KFIoU: RotatedBoxLoss {
  public static let name = "kfiou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("in the linear form", .bounded(by: 1)) { $0.form == .linear },
    .leastAtTarget, .symmetric, .centresIgnored,
    .where("without epsilon", .scaled) { $0.epsilon == 0 },
    .mirrored, .axesExchanged, .quarterTurned, .turnedAboutOneCentre, .blindToSquares,
    .atLeast("exp and −ln forms ≥ the linear one") { loss in
      var linear = loss
      linear.form = .linear
      return linear.epsilon == 0 ? linear : nil
    },
  ]
  public static let dialects: [Dialect] = [.kfIoU]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-6, 1e-3])
  ]

  public enum Form: Sendable {
    case linear
    case logarithmic
    case exponential
  }

  public var form = Form.linear
  /// Added to the union, and to K under the logarithm.
  public var epsilon = 0.0

  public init() {}

  public init(_ form: Form, epsilon: Double = 0) {
    self.form = form
    self.epsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S {
    let (first, second) = (p.covariance, t.covariance)
    let (a, b, c) = (first.a + second.a, first.b + second.b, first.c + second.c)
    let (own, its) = (p.w * p.h, t.w * t.h)
    // |Σ₁ (Σ₁ + Σ₂)⁻¹ Σ₂| = |Σ₁| |Σ₂| / |Σ₁ + Σ₂|, and √|Σ| is w h / 4.
    let volume = own * its / (4 * .sqrt(a * b - c * c))
    let overlap = volume / (own + its - volume + S(epsilon))
    return switch form {
    case .linear: 1 - overlap
    case .logarithmic: -S.log(overlap + S(epsilon))
    case .exponential: .expm1(1 - overlap)
    }
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>) {
    typealias Two = TwoWords<V>
    let turn = V.sineAndCosine(Two.sum(p.θ, -t.θ))
    let (s2, c2) = (Two.square(turn.sine), Two.square(turn.cosine))
    let (w, h) = (Two(p.w), Two(p.h))
    // The target's sides in the prediction's, as squares, and the areas: r = T / P, e = ε / P.
    let (across, along) = (Two(t.w) / w, Two(t.h) / h)
    let (wide, tall) = (Two.square(across), Two.square(along))
    let (wideInH, tallInW) = (Two.square(Two(t.w) / h), Two.square(Two(t.h) / w))
    let r = across * along
    let e = epsilon == 0 ? Two(.zero) : Two(V(epsilon)) / (w * h)

    // q = |4 (Σ₁ + Σ₂)| / P², and K = r / (m √q − r) with m = 1 + r + e.
    let ownW = c2 * tall + s2 * wideInH
    let ownH = c2 * wide + s2 * tallInW
    let q = (Two(.one) + Two.square(r)) + (ownW + ownH)
    let m = (Two(.one) + r) + e
    let product = m * Two.sqrt(q)
    let rest = product - r
    let overlap = r / rest

    // With G = m √q / r, K = 1 / (G − 1) and dK = −K² G dln G. ∂ln G/∂ln w = N_w / (m q),
    // N_w = 1 − r³ + cos²δ (H²/h² − r W²/w²) + sin²δ (W²/h² − r H²/w²) − e (r² + ∂q/∂… of the rest),
    // and ∂ln G/∂θ = sin δ cos δ (w² − h²)(W² − H²) / (P² q).
    let common = Two(.one) - Two.square(r) * r
    var slopeW = common + (ownW - r * ownH)
    var slopeH = common + (ownH - r * ownW)
    if epsilon != 0 {
      slopeW = slopeW - e * (Two.square(r) + ownH)
      slopeH = slopeH - e * (Two.square(r) + ownW)
    }
    let area = w * h
    let excess = (Two.sum(p.w, -p.h) * Two.sum(p.w, p.h)) / area
    let targetExcess = (Two.sum(t.w, -t.h) * Two.sum(t.w, t.h)) / area
    let slopeθ = ((turn.sine * turn.cosine) * (excess * targetExcess)) / q
    let bottom = m * q

    let k = overlap.high
    let value: V
    // −dL/dK.
    let factor: V
    switch form {
    case .linear:
      value = (Two(.one) - overlap).high
      factor = .one
    case .logarithmic:
      let lifted = overlap + Two(V(epsilon))
      let parts = V.logParts(lifted.high)
      value = -(parts.high + (parts.low + lifted.low / lifted.high))
      factor = V.one / lifted.high
    case .exponential:
      let distance = Two(.one) - overlap
      value = V.expm1(distance.high) + distance.low * V.exp(distance.high)
      factor = V.exp(distance.high)
    }
    // K² G = K (m √q) / (m √q − r).
    let scale = factor * (k * (product.high / rest.high))
    let still = V.zero * k
    return (
      value,
      RotatedBox(
        x: still, y: still, w: scale * ((slopeW / bottom) / w).high,
        h: scale * ((slopeH / bottom) / h).high, θ: scale * slopeθ.high)
    )
  }
}

extension KFIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("logarithmic", Self(.logarithmic)),
      Configuration("exponential", Self(.exponential)),
      Configuration("logarithmic, epsilon = 1e-6", Self(.logarithmic, epsilon: 1e-6)),
      Configuration("exponential, epsilon = 1e-6", Self(.exponential, epsilon: 1e-6)),
    ]
  }
}

extension Law where L == KFIoU {
  /// K is at most 1/3, and that only of equal distributions.
  static var leastAtTarget: Self {
    .inequality("L ≥ its value at K = 1/3, which is L(t, t), without epsilon") {
      loss, item, values in
      guard loss.epsilon == 0 else { return [] }
      return [(values.loose(loss, item), values.loose(loss, Item(item.target, item.target)))]
    }
  }

  static var centresIgnored: Self {
    .invariant(under: "a shift of one box") { item in
      Item(
        [item.prediction[0] + 1000, item.prediction[1] - 1000] + item.prediction[2...], item.target)
    }
  }
}

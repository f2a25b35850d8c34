/// What a distance D of two normal distributions is passed through before it is a loss.
public enum DistanceFunction: Sendable {
  /// D
  case identity
  /// √D
  case root
  /// ln(1 + D)
  case logarithm
  /// ln(1 + √D)
  case logarithmOfRoot
}

/// A loss of rotated boxes by a distance D of their normal distributions, of covariance
/// R(θ) diag(w²/4, h²/4) R(θ)ᵀ:
///
///     L = 1 − 1 / (τ + f(D)),  or f(D) itself where τ < 1
public protocol GaussianDistanceLoss: RotatedBoxLoss {
  var function: DistanceFunction { get set }
  var tau: Double { get set }
}

extension GaussianDistanceLoss {
  /// The loss of a distance. √0 = 0 has no slope.
  func loss<S: Scalar>(of distance: S) -> S {
    let isPositive = 0 .< distance
    let root = S.select(isPositive, .sqrt(.select(isPositive, distance, 1)), distance)
    let f: S =
      switch function {
      case .identity: distance
      case .root: root
      case .logarithm: .log1p(distance)
      case .logarithmOfRoot: .log1p(root)
      }
    return tau < 1 ? f : 1 - 1 / (S(tau) + f)
  }

  /// The loss of a distance of at least 0, and its slope; that of the root is 0 at 0, the tip of a
  /// cone.
  ///
  /// 1 − 1 / (τ + f) = (τ − 1 + f) / (τ + f), whose slope in f is 1 / (τ + f)².
  @inline(always)
  public func loss<V: Lanes>(of distance: TwoWords<V>) -> (value: V, slope: V) {
    typealias Two = TwoWords<V>
    let isZero = distance.high .== .zero
    let safe = Two.select(isZero, Two(.one), distance)
    func logarithm(_ x: Two) -> Two {
      let parts = V.log1pParts(x.high)
      return Two.quickSum(parts.high, parts.low + x.low / (V.one + x.high))
    }
    let f: Two
    let slope: V
    switch function {
    case .identity: (f, slope) = (distance, V.select(isZero, .one, distance.high / distance.high))
    case .root:
      let root = Two.sqrt(safe)
      f = Two.select(isZero, distance, root)
      slope = V.select(isZero, .zero, V(0.5) / root.high)
    case .logarithm:
      f = logarithm(distance)
      slope = V.one / (V.one + distance.high)
    case .logarithmOfRoot:
      let root = Two.sqrt(safe)
      f = Two.select(isZero, distance, logarithm(root))
      slope = V.select(isZero, .zero, V(0.5) / (root.high + distance.high))
    }
    guard 1 <= tau else { return (f.high + f.low, slope) }
    let bottom = f + Two(V(tau))
    let top = tau == 1 ? f : f + Two(V(tau - 1))
    return ((top / bottom).high, slope / (bottom.high * bottom.high))
  }
}

extension RotatedBox where Number: Scalar {
  /// [[a, c], [c, b]] = R(θ) diag(w²/4, h²/4) R(θ)ᵀ.
  var covariance: (a: Number, b: Number, c: Number) {
    let (wide, tall) = (w * w / 4, h * h / 4)
    let (cos, sin) = (Number.cos(θ), Number.sin(θ))
    return (
      wide * cos * cos + tall * sin * sin, wide * sin * sin + tall * cos * cos,
      (wide - tall) * cos * sin
    )
  }
}

/// Two boxes' sides and the angle between them, for the kernels, with the second box's sides W, H named
/// so that (w² − h²)(W² − H²) ≥ 0: exchanging them turns sin δ into cos δ, δ = θ₁ − θ₂.
public struct MatchedSides<V: Lanes> {
  public let sine, cosine, sineSquared, cosineSquared: TwoWords<V>
  public let w, h, targetW, targetH: V
  /// w − W and h − H.
  public let differenceW, differenceH: TwoWords<V>
  /// w² − h² and W² − H².
  public let excess, targetExcess: TwoWords<V>

  @inline(always)
  public init(_ p: RotatedBox<V>, _ t: RotatedBox<V>) {
    typealias Two = TwoWords<V>
    let turn = V.sineAndCosine(Two.sum(p.θ, -t.θ))
    let isCrossed = ((p.w .< p.h) & (t.h .< t.w)) | ((p.h .< p.w) & (t.w .< t.h))
    sine = Two.select(isCrossed, turn.cosine, turn.sine)
    cosine = Two.select(isCrossed, -turn.sine, turn.cosine)
    sineSquared = Two.square(sine)
    cosineSquared = Two.square(cosine)
    (w, h) = (p.w, p.h)
    targetW = V.select(isCrossed, t.h, t.w)
    targetH = V.select(isCrossed, t.w, t.h)
    differenceW = Two.sum(w, -targetW)
    differenceH = Two.sum(h, -targetH)
    excess = Two.sum(w, -h) * Two.sum(w, h)
    targetExcess = Two.sum(targetW, -targetH) * Two.sum(targetW, targetH)
  }
}

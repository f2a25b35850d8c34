/// Object keypoint similarity as a loss: 1 less a Gaussian of the distance.
///
///     L = 1 − exp(−d² / (2 k² (area + ε))),  k = 2σ
///
/// d is the distance of the predicted place from the true one, σ the keypoint's constant, area the
/// object's. σ is positive and area + ε, too. MMYOLO has k = σ and, in place of the area, the square
/// of the box's diagonal.
///
/// Source: Maji et al., *YOLO-Pose*, CVPR Workshops 2022, eq. 7; the similarity is COCO's. Spec:
/// `Spec/Keypoints/OKS.md`.
public struct OKS: KeypointLoss {
  public static let name = "oks"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 1), .zeroAtTruth, .mirrored, .swapped, .plain(.scaled), .farther,
    .halved,
  ]
  public static let dialects: [Dialect] = [.keypointLoss, .mmposeOKS, .mmyoloOKS]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-9, 1e-3])
  ]

  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [Configuration("k = σ", Self(spread: .sigma))]
  }

  /// k.
  public enum Spread: Sendable {
    /// 2σ, COCO's.
    case twiceSigma
    /// σ, MMYOLO's.
    case sigma
  }

  /// What stands for the area of a box.
  public enum Scale: Sendable {
    /// w h.
    case area
    /// w² + h², MMYOLO's.
    case diagonal

    public func squared(width: Double, height: Double) -> Double {
      self == .area ? width * height : width * width + height * height
    }
  }

  /// Added to the area.
  public var epsilon = 0.0
  public var spread = Spread.twiceSigma

  public init() {}

  public init(epsilon: Double = 0, spread: Spread = .twiceSigma) {
    self.epsilon = epsilon
    self.spread = spread
  }

  /// The distances are in units of k √area.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    var item = place(stratum, using: &random)
    guard spread == .sigma else { return item }
    for i in 0..<2 { item.prediction[i] = 0.5 * (item.prediction[i] + item.target[i]) }
    return item
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ y: S, _ target: KeypointTarget<S>) -> S {
    let (dx, dy) = (x - target.x, y - target.y)
    let k = spread == .twiceSigma ? 2 * target.σ : target.σ
    let exponent = (dx * dx + dy * dy) / (2 * k * k * (target.area + S(epsilon)))
    return -.expm1(-exponent)
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ x: V, _ y: V, _ target: KeypointTarget<V>
  ) -> (loss: V, slopeX: V, slopeY: V) {
    typealias Two = TwoWords<V>
    // The exponent in two words: its absolute error is a relative one of the slope.
    let (dx, dy) = (Two.sum(x, -target.x), Two.sum(y, -target.y))
    let squared = Two.square(dx) + Two.square(dy)
    let area = Two.sum(target.area, V(epsilon))
    let width = (Two.square(Two(target.σ)) * area).times(spread == .twiceSigma ? 8 : 2)
    let exponent = squared / width
    // From there on the loss is 1 in any precision.
    let most = V(repeating: -V.exponentialRange.low)
    let isFar = most .< (squared.high / width.high)
    let high = V.select(isFar, most, exponent.high)
    let low = V.select(isFar, .zero, exponent.low)

    let decay = V.exp(-high, -low)
    let slope = V(2) * decay / width.high
    return (low * decay - V.expm1(-high), dx.high * slope, dy.high * slope)
  }
}

extension Law where L == OKS {
  static func plain(_ law: Self) -> Self {
    Law("\(law.statement), without epsilon") { loss, item, values in
      loss.epsilon == 0 ? law.check(loss, item, values) : .holds
    }
  }

  static var zeroAtTruth: Self {
    Law("L = 0 at the true place") { loss, item, values in
      .equal(values.value(loss, Item(Array(item.target[..<2]), item.target)), 0)
    }
  }

  static var mirrored: Self {
    .invariant(under: "reflection") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([-p[0], p[1]], [-t[0], t[1], t[2], t[3]])
    }
  }

  static var swapped: Self {
    .invariant(under: "exchange of the axes") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([p[1], p[0]], [t[1], t[0], t[2], t[3]])
    }
  }

  /// Places by 4, the area by 16.
  static var scaled: Self {
    .invariant(under: "scaling by a power of two") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([4 * p[0], 4 * p[1]], [4 * t[0], 4 * t[1], t[2], 16 * t[3]])
    }
  }

  /// Half of σ is exact.
  static var halved: Self {
    Law("L at k = 2σ and σ/2 = L at k = σ") { loss, item, values in
      let (p, t) = (item.prediction, item.target)
      let half = Item(p, [t[0], t[1], 0.5 * t[2], t[3]])
      let (two, one) = (
        L(epsilon: loss.epsilon), L(epsilon: loss.epsilon, spread: .sigma)
      )
      return .equal(values.loose(two, half), values.loose(one, item))
    }
  }

  /// The truth moved to the origin, where doubling the prediction is exact.
  static var farther: Self {
    .inequality("L does not fall as the place moves away along a ray") { loss, item, values in
      let (p, t) = (item.prediction, item.target)
      let d = [Double(Float(p[0] - t[0])), Double(Float(p[1] - t[1]))]
      let truth = [0, 0, t[2], t[3]]
      return [
        (
          values.loose(loss, Item([2 * d[0], 2 * d[1]], truth)),
          values.loose(loss, Item(d, truth))
        )
      ]
    }
  }
}

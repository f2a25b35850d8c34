/// Softmax cross-entropy at a target distribution over the classes.
///
///     p = softmax(x)    L = −Σⱼ wⱼ (tⱼ (1 − s) + s / C) ln pⱼ
///
/// x: C logits; t: C masses, none negative, that need not sum to 1; w: a weight a class, 1 by default;
/// s: the label smoothing. A class of no mass counts nothing, even at a logit of −∞.
///
/// Source: Bridle 1990; torch `cross_entropy` with class probabilities, optax
/// `softmax_cross_entropy`. Chapter: Spec/Classes/SoftmaxCrossEntropy.md.
public struct SoftmaxCrossEntropy: ClassWeighted {
  public static let name = "cross_entropy"
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("labelSmoothing", \.labelSmoothing, in: 0...1, grid: [0, 0.1, 0.5])
  ]

  public var labelSmoothing = 0.0
  public var classWeights: [Double]?

  public init() {}

  public init(labelSmoothing: Double, classWeights: [Double]? = nil) {
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: [S], _ t: [S]) -> S {
    Softmax.crossEntropy(masses(t), x)
  }

  func masses<S: Scalar>(_ t: [S]) -> [S] {
    let s = S(labelSmoothing)
    let uniform = s / S(Double(t.count))
    return t.indices.map { j in
      S(classWeights?[j] ?? 1) * (labelSmoothing == 0 ? t[j] : t[j] * (1 - s) + uniform)
    }
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ rows: ClassRows<V>) -> V {
    let keep = V(1 - labelSmoothing)
    let share = V(labelSmoothing / Double(rows.classes))
    return rows.crossEntropy(fewMasses: false) { j, _ in
      let t = rows.target[j] * keep + share
      if let classWeights { return t * V(classWeights[j]) }
      return t
    }
  }

  public func gradientTerms<S: Scalar>(_ x: [S], _ t: [S]) -> [S] {
    Softmax.gradientTerms(masses(t), x)
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    let (x, y) = Self.logits(stratum, classes: classWeights?.count, using: &random)
    return Item(x, Self.masses(x.count, y, using: &random))
  }
}

/// Softmax cross-entropy at a class index, with class weights and label smoothing.
///
///     p = softmax(x)    ℓⱼ = −ln pⱼ
///     L = (1 − s) w_y ℓ_y + (s / C) Σⱼ wⱼ ℓⱼ
///
/// x: C logits; y: the true class; w: a weight a class, 1 by default; s: the label smoothing.
///
/// Source: Bridle 1990; smoothing of Szegedy et al. 2015, arXiv 1512.00567, weighted as torch
/// `cross_entropy` does. Chapter: Spec/Classes/SparseSoftmaxCrossEntropy.md.
public struct SparseSoftmaxCrossEntropy: ClassWeighted {
  public static let name = "sparse_cross_entropy"
  public static let targetIsIndex = true
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

  public func reference<S: Scalar>(_ x: [S], _ target: [S]) -> S {
    let y = Int(target[0].primal)
    let s = S(labelSmoothing)
    let l = Softmax.negativeLogProbabilities(x)
    let w = classWeights?.map { S($0) } ?? x.map { _ in 1 }
    let hard = S.weighted((1 - s) * w[y], l[y])
    if labelSmoothing == 0 { return hard }
    return hard + s / S(Double(x.count)) * S.sum(zip(w, l).map { S.weighted($0, $1) })
  }

  // MARK: Optimized

  /// Masses (1 − s) w_y at the true class and (s / C) wⱼ at every class.
  @inline(always)
  public func optimized<V: Lanes>(_ rows: ClassRows<V>) -> V {
    let y = rows.target[0]
    var hard = V(1 - labelSmoothing)
    if let classWeights {
      for k in 0..<V.count { hard[k] = V.Element((1 - labelSmoothing) * classWeights[Int(y[k])]) }
    }
    if labelSmoothing == 0 {
      return rows.crossEntropy(fewMasses: true) { V.select($1 .== y, hard, V.zero) }
    }
    let share = labelSmoothing / Double(rows.classes)
    return rows.crossEntropy(fewMasses: false) { j, number in
      V.select(number .== y, hard, V.zero) + V(share * (classWeights?[j] ?? 1))
    }
  }

  public func gradientTerms<S: Scalar>(_ x: [S], _ target: [S]) -> [S] {
    // Of an unsmoothed target no component is a difference.
    labelSmoothing == 0 ? [] : Softmax.gradientTerms(masses(x.count, target), x)
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    let (x, y) = Self.logits(stratum, classes: classWeights?.count, using: &random)
    return Item(x, [Double(y)])
  }

  func masses<S: Scalar>(_ classes: Int, _ target: [S]) -> [S] {
    let y = Int(target[0].primal)
    let s = S(labelSmoothing)
    return (0..<classes).map { j in
      S(classWeights?[j] ?? 1) * (s / S(Double(classes)) + (j == y ? 1 - s : 0))
    }
  }
}

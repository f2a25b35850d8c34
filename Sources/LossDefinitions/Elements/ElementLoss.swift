/// A loss of one number at a time: a prediction x and a target t.
///
/// An item is one element; any weight or normalizer is the batch's.
public protocol ElementLoss: FixedWidthLoss {
  func reference<S: Scalar>(_ x: S, _ t: S) -> S
  /// The sum of the sizes of the terms that the slope is a difference of, if it is one.
  func gradientTerms<S: Scalar>(_ x: S, _ t: S) -> S?
  func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V)
}

extension ElementLoss {
  public static var family: Family { .elements }
  public static var width: Int { 1 }

  public func reference<S: Scalar>(_ prediction: [S], _ target: [S]) -> S {
    reference(prediction[0], target[0])
  }

  public func gradientTerms<S: Scalar>(_ prediction: [S], _ target: [S]) -> [S] {
    gradientTerms(prediction[0], target[0]).map { [$0] } ?? []
  }

  public func gradientTerms<S: Scalar>(_ x: S, _ t: S) -> S? { nil }

  @inlinable @inline(never)
  public func sweep<I: InstructionSet, Element: LaneElement>(
    _: I.Type, _ batch: Batch<Element>
  ) -> Double {
    typealias V = Element.Vector
    let target = batch.target!
    return batch.sum { first, n, values in
      var i = 0
      while i < n {
        let at = first + i
        let live = Swift.min(V.count, n - i)
        let isWhole = live == V.count
        // One call for whole vectors and the tail: the optimizer scalarizes a vector that it sees
        // being built lane by lane.
        let x = isWhole ? V(batch.prediction + at) : V(batch.prediction + at, count: live)
        let t = isWhole ? V(target + at) : V(target + at, count: live)
        let (loss, slope) = optimized(x, t)
        if isWhole {
          loss.store(values + i)
        } else {
          for k in 0..<live { values[i + k] = loss[k] }
        }
        if let gradient = batch.gradient {
          if isWhole {
            var factor = V(repeating: batch.scale)
            if let weights = batch.weights { factor = factor * V(weights + at) }
            (slope * factor).store(gradient + at)
          } else {
            for k in 0..<live { gradient[at + k] = slope[k] * batch.factor(at + k) }
          }
        }
        i += V.count
      }
    }
  }
}

extension Lanes {
  /// Loads the first `count` elements and repeats the last of them in the lanes beyond.
  @inline(always)
  public init(_ source: UnsafePointer<Element>, count: Int) {
    self.init(repeating: source[count - 1])
    for k in 0..<count { self[k] = source[k] }
  }
}

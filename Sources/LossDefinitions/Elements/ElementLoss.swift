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
        if live == V.count {
          let (loss, slope) = optimized(V(batch.prediction + at), V(target + at))
          loss.store(values + i)
          if let gradient = batch.gradient {
            var factor = V(repeating: batch.scale)
            if let weights = batch.weights { factor = factor * V(weights + at) }
            (slope * factor).store(gradient + at)
          }
        } else {
          let (loss, slope) = optimized(
            V(batch.prediction + at, count: live), V(target + at, count: live))
          for k in 0..<live { values[i + k] = loss[k] }
          if let gradient = batch.gradient {
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

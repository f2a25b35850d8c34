/// What a keypoint is held against: its true place, its σ and its object's area.
public struct KeypointTarget<Number> {
  public var x, y, σ, area: Number

  @inline(always) public init(x: Number, y: Number, σ: Number, area: Number) {
    self.x = x
    self.y = y
    self.σ = σ
    self.area = area
  }
}

extension KeypointTarget: Sendable where Number: Sendable {}

/// A loss of one keypoint at a time: a predicted place x, y, n x 2, against n x 4 numbers, the true
/// place x, y, the keypoint's σ, and the object's area.
///
/// Places and areas are in any one unit and its square. The target is held constant.
public protocol KeypointLoss: FixedWidthLoss {
  func reference<S: Scalar>(_ x: S, _ y: S, _ target: KeypointTarget<S>) -> S
  func optimized<V: Lanes>(
    _ x: V, _ y: V, _ target: KeypointTarget<V>
  ) -> (loss: V, slopeX: V, slopeY: V)
}

extension KeypointLoss {
  public static var family: Family { .keypoints }
  public static var width: Int { 2 }
  public static func targetWidth(for width: Int) -> Int { 4 }
  public static var targetGradient: TargetGradient { .none }

  public func reference<S: Scalar>(_ prediction: [S], _ target: [S]) -> S {
    reference(
      prediction[0], prediction[1],
      KeypointTarget(x: target[0], y: target[1], σ: target[2], area: target[3]))
  }

  @inlinable @inline(never)
  public func sweep<I: InstructionSet, Element: LaneElement>(
    _: I.Type, _ batch: Batch<Element>
  ) -> Double {
    typealias V = Element.Vector
    let targets = batch.target!
    return batch.sum { first, n, values in
      var i = 0
      while i < n {
        let at = first + i
        let live = Swift.min(V.count, n - i)
        var (x, y) = (V.zero, V.zero)
        var target = KeypointTarget<V>(x: .zero, y: .zero, σ: .one, area: .one)
        for k in 0..<live {
          let (row, truth) = (batch.prediction + 2 * (at + k), targets + 4 * (at + k))
          x[k] = row[0]
          y[k] = row[1]
          target.x[k] = truth[0]
          target.y[k] = truth[1]
          target.σ[k] = truth[2]
          target.area[k] = truth[3]
        }
        let (loss, slopeX, slopeY) = optimized(x, y, target)
        for k in 0..<live { values[i + k] = loss[k] }
        if let gradient = batch.gradient {
          for k in 0..<live {
            let factor = batch.factor(at + k)
            gradient[2 * (at + k)] = slopeX[k] * factor
            gradient[2 * (at + k) + 1] = slopeY[k] * factor
          }
        }
        i += V.count
      }
    }
  }
}

// MARK: - Items

extension KeypointLoss {
  public static var strata: [String] { ["pixel", "unit", "near", "exact", "far", "small"] }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    place(stratum, using: &random)
  }

  /// A place about a true one, at distances in units of 2 σ √area.
  func place(_ stratum: String, using random: inout SplitMix) -> Item {
    let size = stratum == "pixel" ? 640.0 : 1
    let truth = [random.uniform(0, size), random.uniform(0, size)]
    let σ = random.pick([0.026, 0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 1.0 / 3])
    var area = random.logarithmic(1e-3, 0.5) * size * size
    // The loss of k = 2σ is 1 − exp(−reach² / 2).
    var reach = random.logarithmic(1e-2, 4)
    switch stratum {
    case "near": reach = random.logarithmic(1e-6, 1e-2)
    case "exact": reach = 0
    case "far": reach = random.logarithmic(4, 12)
    case "small": area = random.logarithmic(1e-9, 1e-6)
    default: break
    }
    let step = reach * 2 * σ * area.squareRoot()
    let along = random.uniform(-1, 1)
    let across = random.sign() * (1 - along * along).squareRoot()
    return Item(
      [truth[0] + step * along, truth[1] + step * across], [truth[0], truth[1], σ, area])
  }
}

/// A rotated box: its centre, its sides, and the angle θ in radians from the x axis to the side w,
/// turning towards the y axis.
public struct RotatedBox<Number> {
  public var x, y, w, h, θ: Number

  @inline(always) public init(x: Number, y: Number, w: Number, h: Number, θ: Number) {
    self.x = x
    self.y = y
    self.w = w
    self.h = h
    self.θ = θ
  }
}

extension RotatedBox: Sendable where Number: Sendable {}
extension RotatedBox: Equatable where Number: Equatable {}

extension RotatedBox where Number: Scalar {
  public init(_ flat: [Number]) {
    self.init(x: flat[0], y: flat[1], w: flat[2], h: flat[3], θ: flat[4])
  }
}

/// A loss of aligned pairs of rotated boxes: a prediction and its target, n x 5 numbers each.
///
/// An item is one pair, in the order centre x, y, sides w, h in any one unit, angle θ in radians. The
/// losses of the family are symmetric unless they say otherwise.
public protocol RotatedBoxLoss: FixedWidthLoss {
  func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S
  /// The sizes of the terms that the gradient is a difference of, if it is one.
  func gradientTerms<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> [S]
  func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>)
}

extension RotatedBoxLoss {
  public static var family: Family { .rotatedBoxes }
  public static var width: Int { 5 }
  public static var targetGradient: TargetGradient { .exchanged }

  public func reference<S: Scalar>(_ prediction: [S], _ target: [S]) -> S {
    reference(RotatedBox(prediction), RotatedBox(target))
  }

  public func gradientTerms<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> [S] { [] }

  public func gradientTerms<S: Scalar>(_ prediction: [S], _ target: [S]) -> [S] {
    gradientTerms(RotatedBox(prediction), RotatedBox(target))
  }

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
        let (loss, slope) = optimized(
          RotatedBox<V>(batch.prediction + 5 * at, count: live),
          RotatedBox<V>(target + 5 * at, count: live))
        for k in 0..<live { values[i + k] = loss[k] }
        if let gradient = batch.gradient {
          for k in 0..<live { slope.store(gradient, at: at + k, k, times: batch.factor(at + k)) }
        }
        i += V.count
      }
    }
  }
}

extension RotatedBox where Number: Lanes {
  /// The first `count` of consecutive rows of five; the lanes beyond repeat the last of them.
  @inline(always)
  public init(_ rows: UnsafePointer<Number.Element>, count: Int) {
    let last = rows + 5 * (count - 1)
    self.init(
      x: Number(repeating: last[0]), y: Number(repeating: last[1]), w: Number(repeating: last[2]),
      h: Number(repeating: last[3]), θ: Number(repeating: last[4]))
    for k in 0..<count {
      x[k] = rows[5 * k]
      y[k] = rows[5 * k + 1]
      w[k] = rows[5 * k + 2]
      h[k] = rows[5 * k + 3]
      θ[k] = rows[5 * k + 4]
    }
  }

  @inline(always) public var negated: Self { Self(x: -x, y: -y, w: -w, h: -h, θ: -θ) }

  @inline(always) public func scaled(by factor: Number) -> Self {
    Self(x: factor * x, y: factor * y, w: factor * w, h: factor * h, θ: factor * θ)
  }

  /// Stores lane `k`, as row `row`.
  @inline(always)
  public func store(
    _ rows: UnsafeMutablePointer<Number.Element>, at row: Int, _ k: Int,
    times factor: Number.Element
  ) {
    rows[5 * row] = x[k] * factor
    rows[5 * row + 1] = y[k] * factor
    rows[5 * row + 2] = w[k] * factor
    rows[5 * row + 3] = h[k] * factor
    rows[5 * row + 4] = θ[k] * factor
  }
}

// MARK: - Items

extension RotatedBoxLoss {
  public static var strata: [String] {
    ["pixel", "grid", "alike", "concentric", "aspect", "square", "turned", "far"]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.pair(stratum, using: &random)
  }

  /// An item of one of the family's strata.
  static func pair(_ stratum: String, using random: inout SplitMix) -> Item {
    var t = Self.box(stratum, using: &random)
    var p = Self.box(stratum, using: &random)
    switch stratum {
    case "alike":
      // Each number off by a relative 1e-3 to 1e-1 of the box's size.
      p = t
      for k in 0..<5 {
        let scale = [t[2], t[3], t[2], t[3], 1][k]
        p[k] += random.sign() * random.logarithmic(1e-3, 1e-1) * scale
      }
    case "concentric": p.replaceSubrange(0..<2, with: t[0..<2])
    case "square":
      p[3] = p[2]
      if random.chance(0.5) { t[3] = t[2] }
    case "turned":
      // Nearly one box, under two of its names.
      p = [t[0], t[1], t[3], t[2], t[4] + random.pick([-0.5, 0.5, 1.5]) * .pi]
      for k in 0..<4 {
        p[k] += random.sign() * random.logarithmic(1e-2, 1e-1) * Swift.min(t[2], t[3])
      }
    case "far":
      let distance = random.logarithmic(2, 16) * (t[2] + p[2])
      p[0] = t[0] + random.sign() * distance
    default: break
    }
    return Item(p, t)
  }

  /// A box of the stratum's size and place.
  private static func box(_ stratum: String, using random: inout SplitMix) -> [Double] {
    var size = (random.logarithmic(0.5, 16), random.logarithmic(0.5, 16))
    var place = 20.0
    switch stratum {
    case "pixel":
      size = (random.logarithmic(4, 256), random.logarithmic(4, 256))
      place = 640
    case "aspect": size = (random.logarithmic(16, 32), random.logarithmic(0.5, 2))
    default: break
    }
    let near = random.uniform(0, place) * 0.25
    return [
      near + random.uniform(0, size.0), near + random.uniform(0, size.1), size.0, size.1,
      random.uniform(-0.25 * .pi, 0.75 * .pi),
    ]
  }
}

/// An axis-aligned box by two corners, x1 ≤ x2 and y1 ≤ y2.
public struct Box<Number> {
  public var x1, y1, x2, y2: Number

  @inline(always) public init(x1: Number, y1: Number, x2: Number, y2: Number) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
  }
}

extension Box: Sendable where Number: Sendable {}
extension Box: BitwiseCopyable where Number: BitwiseCopyable {}
extension Box: Equatable where Number: Equatable {}

extension Box where Number: Scalar {
  public init(_ flat: [Number]) { self.init(x1: flat[0], y1: flat[1], x2: flat[2], y2: flat[3]) }

  public var width: Number { x2 - x1 }
  public var height: Number { y2 - y1 }

  /// The area of what two boxes have in common; where they touch, it has the slope of an overlap.
  public func intersection(_ other: Self) -> Number {
    let w = Number.min(x2, other.x2) - .max(x1, other.x1)
    let h = Number.min(y2, other.y2) - .max(y1, other.y1)
    return .select(w .< 0, 0, w) * .select(h .< 0, 0, h)
  }

  /// The smallest box that encloses both.
  public func enclosing(_ other: Self) -> Self {
    Self(
      x1: .min(x1, other.x1), y1: .min(y1, other.y1), x2: .max(x2, other.x2),
      y2: .max(y2, other.y2))
  }

  /// The squared distance between the centres of two boxes.
  public func centerDistance(_ other: Self) -> Number {
    let dx = (x1 + x2 - other.x1 - other.x2) * 0.5
    let dy = (y1 + y2 - other.y1 - other.y2) * 0.5
    return dx * dx + dy * dy
  }

  /// The sizes of what the slopes of 1 − IoU + ρ² / c² in x and in y are sums of.
  func centerTerms(_ other: Self, _ epsilon: Number) -> (x: Number, y: Number) {
    let edges = edgeTerms(other)
    let distance = distanceTerms(other, epsilon)
    return (edges.x + distance.x, edges.y + distance.y)
  }

  /// The IoU's slopes at either place of an edge, whichever is larger.
  func edgeTerms(_ other: Self) -> (x: Number, y: Number) {
    let iw = Number.max(0, .min(x2, other.x2) - .max(x1, other.x1))
    let ih = Number.max(0, .min(y2, other.y2) - .max(y1, other.y1))
    let overlap = iw * ih
    let areas = width * height + other.width * other.height
    let union = areas - overlap
    let outerX = overlap * height
    let outerY = overlap * width
    return (
      Number.quotient(.max(outerX, ih * areas - outerX), union * union),
      Number.quotient(.max(outerY, iw * areas - outerY), union * union)
    )
  }

  /// The slopes of ρ² / c² as sums of |dx| / c² and 2 cw ρ² / c⁴.
  func distanceTerms(_ other: Self, _ epsilon: Number) -> (x: Number, y: Number) {
    let box = enclosing(other)
    let c = box.width * box.width + box.height * box.height + epsilon
    let ratio = Number.quotient(centerDistance(other), c)
    let dx = Number.abs(x1 + x2 - other.x1 - other.x2) * 0.5
    let dy = Number.abs(y1 + y2 - other.y1 - other.y2) * 0.5
    return (
      .quotient(dx + 2 * box.width * ratio, c),
      .quotient(dy + 2 * box.height * ratio, c)
    )
  }

  /// The slopes of (w − W)² / (cw² + ε) and of the like in h, as sums of the sizes of their terms.
  func sideTerms(_ other: Self, _ epsilon: Number) -> (x: Number, y: Number) {
    let box = enclosing(other)
    func side(_ difference: Number, _ c: Number) -> Number {
      let square = c * c + epsilon
      let ratio = Number.quotient(Number.abs(difference), square)
      return 2 * (ratio + c * ratio * ratio)
    }
    return (side(width - other.width, box.width), side(height - other.height, box.height))
  }

  /// The sizes of α ∂v/∂w and α ∂v/∂h, of CIoU.
  func aspectTerms(
    _ other: Self, _ epsilon: Number, scale: Number = 1
  ) -> (x: Number, y: Number) {
    let (w, h) = (width, height)
    let turn = Number.abs(
      .atan(.quotient(other.width, other.height)) - .atan(.quotient(w, h)))
    let v = scale * 4 / (Number.pi * Number.pi) * turn * turn
    let overlap = intersection(other)
    let iou = Number.quotient(overlap, w * h + other.width * other.height - overlap)
    let α = Number.quotient(v, 1 - iou + v + epsilon)
    let rate = Number.quotient(
      scale * 8 / (Number.pi * Number.pi) * α * turn, w * w + h * h)
    return (rate * h, rate * w)
  }
}

/// A loss of aligned pairs of boxes: a prediction and its target, n x 4 corners each.
///
/// An item is one pair, in the order x1, y1, x2, y2. Most losses of the family are symmetric: their
/// gradient in the target is the kernel's with its arguments exchanged.
public protocol BoxLoss: FixedWidthLoss {
  func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S
  /// The sizes of the terms that the gradient is a difference of, if it is one.
  func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S]
  func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>)
}

extension BoxLoss {
  public static var family: Family { .boxes }
  public static var width: Int { 4 }
  public static var valueBar: Double { 6 }
  public static var targetGradient: TargetGradient { .exchanged }

  public func reference<S: Scalar>(_ prediction: [S], _ target: [S]) -> S {
    reference(Box(prediction), Box(target))
  }

  public func gradientTerms<S: Scalar>(_ prediction: [S], _ target: [S]) -> [S] {
    gradientTerms(Box(prediction), Box(target))
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] { [] }

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
          let (loss, slope) = optimized(
            Box<V>(batch.prediction + 4 * at), Box<V>(target + 4 * at))
          loss.store(values + i)
          if let gradient = batch.gradient {
            var factor = V(repeating: batch.scale)
            if let weights = batch.weights { factor = factor * V(weights + at) }
            slope.store(gradient + 4 * at, times: factor)
          }
        } else {
          let (loss, slope) = optimized(
            Box<V>(batch.prediction + 4 * at, count: live), Box<V>(target + 4 * at, count: live))
          for k in 0..<live { values[i + k] = loss[k] }
          if let gradient = batch.gradient {
            for k in 0..<live { slope.store(gradient, at: at + k, k, times: batch.factor(at + k)) }
          }
        }
        i += V.count
      }
    }
  }
}

extension Box where Number: Lanes {
  /// A vector of boxes from consecutive rows of four.
  @inline(always)
  public init(_ rows: UnsafePointer<Number.Element>) {
    let (x1, y1, x2, y2) = Number.columns(rows)
    self.init(x1: x1, y1: y1, x2: x2, y2: y2)
  }

  /// The first `count` rows; the lanes beyond repeat the last of them.
  @inline(always)
  public init(_ rows: UnsafePointer<Number.Element>, count: Int) {
    let last = rows + 4 * (count - 1)
    self.init(
      x1: Number(repeating: last[0]), y1: Number(repeating: last[1]),
      x2: Number(repeating: last[2]), y2: Number(repeating: last[3]))
    for k in 0..<count {
      x1[k] = rows[4 * k]
      y1[k] = rows[4 * k + 1]
      x2[k] = rows[4 * k + 2]
      y2[k] = rows[4 * k + 3]
    }
  }

  @inline(always)
  public func store(_ rows: UnsafeMutablePointer<Number.Element>, times factor: Number) {
    Number.storeColumns((x1 * factor, y1 * factor, x2 * factor, y2 * factor), rows)
  }

  /// Stores lane `k` alone, as row `row`.
  @inline(always)
  public func store(
    _ rows: UnsafeMutablePointer<Number.Element>, at row: Int, _ k: Int,
    times factor: Number.Element
  ) {
    rows[4 * row] = x1[k] * factor
    rows[4 * row + 1] = y1[k] * factor
    rows[4 * row + 2] = x2[k] * factor
    rows[4 * row + 3] = y2[k] * factor
  }
}

// MARK: - Items

extension BoxLoss {
  public static var strata: [String] {
    [
      "unit", "pixel", "far", "alike", "identical", "nested", "touching", "disjoint", "aspect",
      "sharing",
    ]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    var t = Self.box(stratum, using: &random)
    var p = Self.box(stratum, using: &random)
    let (w, h) = (t[2] - t[0], t[3] - t[1])
    switch stratum {
    case "alike":
      // Each edge off by a relative 1e-7 to 1e-2 of the box's side.
      p = t
      for k in 0..<4 {
        p[k] += random.sign() * random.logarithmic(1e-7, 1e-2) * (k % 2 == 0 ? w : h)
      }
    case "identical":
      // Exact in Float, so that every product of sides is exact in the oracle.
      t = t.map { Double(Float($0)) }
      p = t
    case "nested":
      p = [
        t[0] + random.uniform(0, 0.5) * w, t[1] + random.uniform(0, 0.5) * h,
        t[2] - random.uniform(0, 0.5) * w, t[3] - random.uniform(0, 0.5) * h,
      ]
      if random.chance(0.5) { swap(&p, &t) }
    case "touching":
      // One edge on the other box's opposite edge, exactly also in Float.
      let axis = random.integer(0...1)
      let side = Float(t[axis + 2]).advanced(by: 0)
      let extent = p[axis + 2] - p[axis]
      p[axis] = Double(side)
      p[axis + 2] = Double(Float(p[axis] + extent))
      t[axis + 2] = Double(side)
      if random.chance(0.5) { swap(&p, &t) }
    case "disjoint":
      let axis = random.integer(0...1)
      let gap = random.logarithmic(1e-3, 1e3) * (axis == 0 ? w : h)
      let extent = p[axis + 2] - p[axis]
      p[axis] = t[axis + 2] + gap
      p[axis + 2] = p[axis] + extent
      if random.chance(0.5) { swap(&p, &t) }
    case "sharing":
      // Some edges in common, as clipped boxes have.
      let shared = random.integer(1...14)
      for k in 0..<4 where shared >> k & 1 == 1 { p[k] = t[k] }
      if p[0] > p[2] { p.swapAt(0, 2) }
      if p[1] > p[3] { p.swapAt(1, 3) }
    default: break
    }
    return Item(p, t)
  }

  /// A box of the stratum's size and place.
  private static func box(_ stratum: String, using random: inout SplitMix) -> [Double] {
    var origin = (0.0, 0.0)
    var size = (1.0, 1.0)
    switch stratum {
    case "pixel":
      origin = (random.uniform(0, 640), random.uniform(0, 640))
      size = (random.logarithmic(2, 600), random.logarithmic(2, 600))
    case "far":
      // Hundredths of a pixel, hundreds of pixels from the origin.
      origin = (600 + random.uniform(0, 0.02), 600 + random.uniform(0, 0.02))
      size = (random.uniform(0.002, 0.02), random.uniform(0.002, 0.02))
    case "aspect":
      origin = (random.uniform(0, 4), random.uniform(0, 4))
      size = (random.logarithmic(1e-3, 1e3), random.logarithmic(1e-3, 1e3))
    default:
      let scale = stratum == "identical" ? 1 : random.pick([1.0, 1.0, 640])
      origin = (scale * random.uniform(0, 0.5), scale * random.uniform(0, 0.5))
      size = (scale * random.uniform(0.05, 0.5), scale * random.uniform(0.05, 0.5))
    }
    return [origin.0, origin.1, origin.0 + size.0, origin.1 + size.1]
  }
}

/// Intersection over union of rotated boxes: what two of them do not share of what they cover.
///
///     L = 1 − IoU  or  −ln IoU,   IoU = max(I / U, floor)
///
/// I is the area of the intersection, U = w h + W H − I that of the union. I is half the sum, over the
/// edges of the intersection, of an edge's length times its distance from a point: each box's edges
/// clipped by the other. The IoU of two boxes without area is 0. Nothing is held constant.
///
/// Source: Zhou et al., *IoU Loss for 2D/3D Object Detection*, 2019.
/// Chapter: `Spec/RotatedBoxes/RotatedIoU.md`.
public struct RotatedIoU: RotatedBoxLoss {
  public static let name = "rotated_iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("for the linear form", .bounded(by: 1)) { $0.form == .linear },
    .zeroAtTarget, .symmetric, .translated, .scaled, .mirrored, .axesExchanged, .quarterTurned,
    .turnedAboutOneCentre, .alignedIoU,
    .where("for the linear form without floor", .triangle) { $0.form == .linear && $0.floor == 0 },
    .atLeast("−ln IoU ≥ 1 − IoU") { loss in
      var linear = loss
      linear.form = .linear
      return linear
    },
  ]
  public static let dialects: [Dialect] = [.rotatedIoU]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("floor", \.floor, in: 0...1, grid: [0, 1e-6])
  ]

  public enum Form: Sendable {
    case linear
    case logarithmic
  }

  public var form = Form.linear
  /// The least IoU that the loss is taken of: what makes −ln IoU finite for boxes that are apart.
  public var floor = 0.0

  public init() {}

  public init(_ form: Form, floor: Double = 0) {
    self.form = form
    self.floor = floor
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S {
    // Distances from the target's centre: half a side, and half a side ± that of the centres.
    let own = clipped(p, by: t)
    let its = clipped(t, by: p)
    let d = p.offset(from: t, at: p.θ)
    let twice =
      (0.5 * p.w + d.u) * own.right + (0.5 * p.w - d.u) * own.left
      + (0.5 * p.h + d.v) * own.top + (0.5 * p.h - d.v) * own.bottom
      + 0.5 * t.w * (its.right + its.left) + 0.5 * t.h * (its.top + its.bottom)
    let overlap = 0.5 * twice
    let ratio = S.quotient(overlap, p.w * p.h + t.w * t.h - overlap)
    let iou = floor > 0 ? .max(ratio, S(floor)) : ratio
    return switch form {
    case .linear: 1 - iou
    case .logarithmic: -S.log(iou)
    }
  }

  /// The lengths of a box's edges that lie in another box.
  private func clipped<S: Scalar>(
    _ a: RotatedBox<S>, by b: RotatedBox<S>
  ) -> (right: S, top: S, left: S, bottom: S) {
    // The corners of a in b's frame, and how far each is outside of b's four edges.
    let center = a.offset(from: b, at: b.θ)
    let (cos, sin) = (S.cos(a.θ - b.θ), S.sin(a.θ - b.θ))
    func outside(_ i: S, _ j: S) -> [S] {
      let x = center.u + 0.5 * (i * a.w * cos - j * a.h * sin)
      let y = center.v + 0.5 * (i * a.w * sin + j * a.h * cos)
      return [x - 0.5 * b.w, y - 0.5 * b.h, -x - 0.5 * b.w, -y - 0.5 * b.h]
    }
    let corners = [outside(1, -1), outside(1, 1), outside(-1, 1), outside(-1, -1)]

    // The part of the edge between two corners that is inside: it enters where the last edge of b lets
    // it in, and leaves at the first. An edge of both boxes counts half of each.
    func inside(_ from: [S], _ to: [S]) -> S {
      var (entry, exit, share): (S, S, S) = (0, 1, 1)
      for (a, b) in zip(from, to) {
        entry = .max(entry, .quotient(.max(a, 0), .max(a, 0) + .max(-b, 0)))
        exit = .min(exit, 1 - .quotient(.max(b, 0), .max(b, 0) + .max(-a, 0)))
        share = .select(0 .< S.abs(a) + .abs(b), share, 0.5 * share)
      }
      return share * .max(0, exit - entry)
    }
    return (
      a.h * inside(corners[0], corners[1]), a.w * inside(corners[1], corners[2]),
      a.h * inside(corners[2], corners[3]), a.w * inside(corners[3], corners[0])
    )
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>) {
    typealias Two = TwoWords<V>
    let pair = RotatedOverlap(p, t)
    // 1 − I/U = (U − I) / U, and −ln(I/U) = ln(1 + (U − I) / I).
    let linear = pair.excess / pair.union
    let iou = pair.area / pair.union
    let isEmpty = pair.union.high .== .zero
    let isApart = pair.area.high .<= .zero
    var loss = V.select(isEmpty, .one, linear.high)
    var most = V(1 - floor)
    var factor = V.one
    switch form {
    case .linear: break
    case .logarithmic:
      let ratio = pair.excess / pair.area
      loss = V.select(
        isApart, V(.infinity) * loss, V.log1p(ratio.high) + ratio.low / (V.one + ratio.high))
      most = -V.log(V(floor))
      factor = V.select(isApart, .zero, V.one / iou.high)
    }
    let clips = iou.high .< V(floor)
    factor = V.select(clips, .zero, factor)
    return (V.select(clips, most, loss), pair.slopes.scaled(by: factor))
  }
}

extension RotatedIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("logarithmic, floor = 1e-6", Self(.logarithmic, floor: 1e-6))
    ]
  }

  public static var strata: [String] {
    ["pixel", "grid", "alike", "concentric", "aspect", "square", "turned", "far"]
      + ["parallel", "aligned", "inside"]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    var item = Self.pair(stratum, using: &random)
    let t = item.target
    switch stratum {
    case "parallel":
      // Edges that cross, or nearly, at 1e-7 to 1e-3 radians.
      item.target[4] = random.logarithmic(0.001, 0.01)
      item.prediction[4] = item.target[4] + random.sign() * random.logarithmic(1e-7, 1e-3)
    case "aligned": item.prediction[4] = item.target[4]
    case "inside":
      let share = random.uniform(0.01, 0.6)
      item.prediction = [
        t[0] + 0.125 * t[2] * random.uniform(-1, 1), t[1] + 0.125 * t[3] * random.uniform(-1, 1),
        share * Swift.min(t[2], t[3]), 0.5 * share * Swift.min(t[2], t[3]), item.prediction[4],
      ]
      if random.chance(0.5) { item = Item(item.target, item.prediction) }
    default: break
    }
    return item
  }
}

extension RotatedBox where Number: Scalar {
  /// The centre's components along an angle and across it, seen from another box's centre.
  func offset(from other: Self, at angle: Number) -> (u: Number, v: Number) {
    let (dx, dy) = (x - other.x, y - other.y)
    let (cos, sin) = (Number.cos(angle), Number.sin(angle))
    return (cos * dx + sin * dy, cos * dy - sin * dx)
  }
}

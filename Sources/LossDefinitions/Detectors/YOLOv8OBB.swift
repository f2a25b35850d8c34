/// YOLOv8's objective of oriented boxes: task-aligned targets by ProbIoU, a class cross-entropy
/// everywhere, and at the foreground ProbIoU, the distribution of the distances, and the angle.
///
///     L_box   = B g_box Σ wₐ (1 − ProbIoU(bₐ, tₐ)) / T
///     L_cls   = B g_cls Σ BCE(zₐ_c, tₐ_c) / T
///     L_dfl   = B g_dfl Σ wₐ meanₛ DFLₐ_ₛ / T
///     L_angle = B g_angle Σ wₐ exp(−ln²(w / h) / 9) sin²(2 (θₐ − θ)) / T
///
/// A box b is the centre p + R(θ) ((r − l) / 2, (d − u) / 2) and the sides l + r, u + d, in cells of its
/// anchor's level, with θ the head's output; w, h, θ without index are the truth's, its sides plus
/// 1e-9. The targets of the distances are the point's to the truth's sides in its own frame. T and w
/// are detection's. A truth with a side below 2 pixels is left out.
///
/// Heads: "boxes" and "scores" as for detection, and "angle" (B, 1, A), radians.
///
/// Source: ultralytics 8.4.190, `v8OBBLoss`. Chapter: `Spec/Detectors/YOLOv8OBB.md`.
public struct YOLOv8OBB: Objective {
  public static let name = "yolov8_obb"

  /// The gains, and the rules of the assignment; validity is of x + y + w + h + θ.
  public var detection = YOLOv8()
  /// Nil: there is no such term (before 8.4.0).
  public var angleGain: Double? = 1
  /// Added to the variances of the boxes in the box term, in cells squared; 0 before 8.4.130.
  public var varianceFloor = 0.01
  public var distances = DistanceRule.rotated
  public var smallRows = SmallRowRule.ownSide

  /// What the distances' distributions are held against.
  public enum DistanceRule: String, Sendable, CaseIterable {
    /// The distances to the truth's sides, in its frame.
    case rotated
    /// Those to the sides of the box that the truth would be without its angle (before 8.4.0).
    case upright
  }

  /// Which image side multiplies a truth's w and h for the test of 2 pixels.
  public enum SmallRowRule: String, Sendable, CaseIterable {
    /// The width w's, the height h's.
    case ownSide
    /// The other way round (before PR 23061).
    case exchanged
  }

  public struct Truths: Sendable, Equatable {
    public var grid: AnchorGrid
    public var rows: [Row]

    public init(_ grid: AnchorGrid, _ rows: [Row] = []) {
      self.grid = grid
      self.rows = rows
    }
  }

  /// A truth: its image, its class, and its box, x, y, w, h over the image's sides, θ in radians.
  public struct Row: Sendable, Equatable {
    public var image, label: Int
    public var box: RotatedBox<Double>

    public init(image: Int, label: Int, box: RotatedBox<Double>) {
      self.image = image
      self.label = label
      self.box = box
    }
  }

  public init() {}

  public var heads: [String] { ["boxes", "scores", "angle"] }
  public var terms: [String] {
    ["box", "class", "distribution"] + (angleGain == nil ? [] : ["angle"])
  }

  /// An image's truths in pixels, those that are large enough, and their classes.
  public func image(
    _ b: Int, _ truths: Truths
  ) -> (boxes: [RotatedBox<Double>], labels: [Int]) {
    let (W, H) = (truths.grid.imageWidth, truths.grid.imageHeight)
    let own = smallRows == .ownSide
    let rows = truths.rows.filter { row in
      row.image == b && row.box.w * (own ? W : H) >= 2 && row.box.h * (own ? H : W) >= 2
    }
    return (rows.map { $0.box.stretched(W, H) }, rows.map(\.label))
  }

  // MARK: Reference

  public func decide(_ heads: [Tensor], _ truths: Truths) -> YOLOv8.Decisions {
    (0..<heads[0].shape[0]).map { b in trace(b, heads, truths).matching.matches }
  }

  /// The assignment of an image, step by step.
  public func trace(_ b: Int, _ heads: [Tensor], _ truths: Truths) -> TaskAligned.Trace {
    let (boxes, labels) = image(b, truths)
    let assigner = detection.assigner(truths.grid)
    let points = truths.grid.points
    let strides = truths.grid.strides
    let inside = boxes.map { box in
      let takesPart =
        detection.validity == .presence || box.x + box.y + box.w + box.h + box.θ > 0
      let reach = Self.enlarged(box, assigner.smallTruths)
      return points.map { takesPart && reach.contains($0) }
    }
    let overlaps = zip(boxes, inside).map { box, inside in
      points.indices.map { a in
        inside[a]
          ? Self.overlap(box, self.box(heads[0], heads[2], b, a, truths.grid).scaled(strides[a]))
          : 0
      }
    }
    let scores = labels.map { label in
      points.indices.map { Double.sigmoid(heads[1][b, label, $0]) }
    }
    return assigner.trace(inside: inside, overlaps: overlaps, scores: scores)
  }

  /// The ProbIoU of a truth and a box, both in pixels, or 0 where it is negative.
  static func overlap<S: Scalar>(_ truth: RotatedBox<S>, _ box: RotatedBox<S>) -> S {
    S.max(0, 1 - ProbIoU(epsilon: 1e-7).reference(truth, box))
  }

  /// The truth as the points see it.
  static func enlarged(
    _ box: RotatedBox<Double>, _ rule: TaskAligned.SmallTruths?
  ) -> RotatedBox<Double> {
    guard let rule else { return box }
    var reach = box
    if box.w < rule.floor { reach.w = rule.side }
    if box.h < rule.floor { reach.h = rule.side }
    return reach
  }

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [S] {
    let foreground = foreground(heads, truths, decisions)
    let plain = foreground.map(\.plain)
    let T = detection.normalizer(plain)
    let images = S(detection.scalesWithBatch ? Double(heads[0].shape[0]) : 1)
    let loss = ProbIoU(epsilon: 1e-7, floor: varianceFloor)
    let overlaps = foreground.map { fg in
      let box = box(heads[0], heads[2], fg.plain.image, fg.plain.anchor, truths.grid)
      return fg.plain.weight * loss.reference(box, fg.cells.constant())
    }
    let errors = foreground.map { fg in
      fg.plain.weight * distributionError(heads[0], fg, truths.grid)
    }
    let terms = [
      images * S(detection.boxGain) * S.sum(overlaps) / T,
      images * S(detection.classGain) * detection.classTerm(heads[1], plain) / T,
      images * S(detection.distributionGain) * S.sum(errors) / T,
    ]
    guard let angleGain else { return terms }
    let angles = foreground.map { fg -> S in
      let sine = S.sin(2 * (heads[2][fg.plain.image, 0, fg.plain.anchor] - S(fg.cells.θ)))
      return fg.plain.weight * S(Self.elongation(fg.cells)) * sine * sine
    }
    return terms + [images * S(angleGain) * S.sum(angles) / T]
  }

  /// An anchor of the foreground.
  struct Foreground<S: Scalar> {
    /// With the truth's upright box.
    var plain: YOLOv8.Foreground<S>
    /// The truth, with its centre and sides in cells.
    var cells: RotatedBox<Double>
    /// The predicted box about the truth's centre, in cells.
    var prediction: RotatedBox<S>
  }

  /// The foreground of all images, with their target scores recomputed and held constant.
  func foreground<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [Foreground<S>] {
    let assigner = detection.assigner(truths.grid)
    let strides = truths.grid.strides
    return decisions.enumerated().flatMap { b, matches in
      let (boxes, labels) = image(b, truths)
      let overlaps = matches.map { match -> S in
        guard match.isCandidate else { return 0 }
        let box = box(heads[0], heads[2], b, match.anchor, truths.grid)
        return Self.overlap(
          boxes[match.truth].constant(), box.scaled(S(strides[match.anchor]))
        ).detached
      }
      let metrics = zip(matches, overlaps).map { match, overlap -> S in
        guard match.isCandidate else { return 0 }
        return assigner.metric(
          .sigmoid(heads[1][b, labels[match.truth], match.anchor].detached), overlap)
      }
      let weights = assigner.targetScores(matches, overlaps: overlaps, metrics: metrics)
      return zip(matches, weights).map { match, weight in
        let cells = boxes[match.truth].scaled(1 / strides[match.anchor])
        var prediction = box(heads[0], heads[2], b, match.anchor, truths.grid)
        prediction.x = prediction.x - S(cells.x)
        prediction.y = prediction.y - S(cells.y)
        return Foreground(
          plain: YOLOv8.Foreground(
            image: b, anchor: match.anchor, label: labels[match.truth],
            box: boxes[match.truth].upright, weight: weight),
          cells: cells, prediction: prediction)
      }
    }
  }

  /// The predicted box, in cells.
  func box<S: Scalar>(
    _ boxes: Shaped<S>, _ angles: Shaped<S>, _ b: Int, _ a: Int, _ grid: AnchorGrid
  ) -> RotatedBox<S> {
    // Upright, it is p − (l, u) to p + (r, d).
    let upright = detection.box(boxes, b, a, grid)
    let (x, y) = grid.cell(a)
    let f = (
      x: (upright.x1 + upright.x2) * 0.5 - S(x), y: (upright.y1 + upright.y2) * 0.5 - S(y)
    )
    let θ = angles[b, 0, a]
    let (cos, sin) = (S.cos(θ), S.sin(θ))
    return RotatedBox(
      x: S(x) + f.x * cos - f.y * sin, y: S(y) + f.x * sin + f.y * cos, w: upright.width,
      h: upright.height, θ: θ)
  }

  /// meanₛ DFL, or with one bin meanₛ of the absolute errors over the image's sides.
  private func distributionError<S: Scalar>(
    _ boxes: Shaped<S>, _ fg: Foreground<S>, _ grid: AnchorGrid
  ) -> S {
    let bins = boxes.shape[1] / 4
    let wanted = wantedDistances(fg, grid, bins)
    let errors = (0..<4).map { side -> S in
      let x = detection.logits(boxes, fg.plain.image, fg.plain.anchor, side)
      if bins == 1 { return S.abs(x[0] - S(wanted[side].y)) * S(wanted[side].scale) }
      return DistributionFocal().reference(x, [S(wanted[side].y)])
    }
    return S.sum(errors) / 4
  }

  /// What each side's distance should be, in cells and inside the bins, and the factor of its error.
  func wantedDistances<S: Scalar>(
    _ fg: Foreground<S>, _ grid: AnchorGrid, _ bins: Int
  ) -> [(y: Double, scale: Double)] {
    let (x, y) = grid.cell(fg.plain.anchor)
    var box = fg.cells
    if distances == .upright { box.θ = 0 }
    let f = box.components(x: box.x - x, y: box.y - y)
    let stride = grid.strides[fg.plain.anchor]
    let sides = [grid.imageWidth, grid.imageHeight]
    return [box.w / 2 - f.u, box.h / 2 - f.v, box.w / 2 + f.u, box.h / 2 + f.v].enumerated().map {
      bins == 1
        ? ($1, stride / sides[$0 % 2]) : (min(max($1, 0), Double(bins - 1) - 0.01), 1)
    }
  }

  /// exp(−ln²(w / h) / 9): 1 for a square, which has no angle to a quarter turn.
  static func elongation(_ box: RotatedBox<Double>) -> Double {
    let logarithm = Double.log((box.w + 1e-9) / (box.h + 1e-9))
    return Double.exp(-logarithm * logarithm / 9)
  }
}

// MARK: Optimized

// In YOLOv8OBBOptimized.swift; what both versions read of a box:

extension RotatedBox where Number: Scalar {
  /// Centre and sides times a factor.
  func scaled(_ factor: Number) -> Self { stretched(factor, factor) }

  /// x and w times one factor, y and h times another.
  func stretched(_ across: Number, _ down: Number) -> Self {
    Self(x: x * across, y: y * down, w: w * across, h: h * down, θ: θ)
  }

  /// The components of a vector along the box's sides.
  func components(x: Number, y: Number) -> (u: Number, v: Number) {
    let (cos, sin) = (Number.cos(θ), Number.sin(θ))
    return (x * cos + y * sin, y * cos - x * sin)
  }
}

extension RotatedBox<Double> {
  /// The same box, as a constant of another kind of number.
  func constant<S: Scalar>() -> RotatedBox<S> {
    RotatedBox<S>(x: S(x), y: S(y), w: S(w), h: S(h), θ: S(θ))
  }

  /// The box without its angle.
  var upright: Box<Double> {
    Box(x1: x - w / 2, y1: y - h / 2, x2: x + w / 2, y2: y + h / 2)
  }

  /// Whether a point is inside, or on a side.
  func contains(_ point: Point) -> Bool {
    let (u, v) = components(x: point.x - x, y: point.y - y)
    return abs(u) <= w / 2 && abs(v) <= h / 2
  }
}

/// YOLOv8's detection objective: task-aligned targets, a class cross-entropy everywhere, and at the
/// foreground CIoU and the distribution of the distances to the box's sides.
///
///     L = B (g_box Σ wₐ (1 − CIoU(bₐ, tₐ)) + g_cls Σ BCE(zₐ_c, tₐ_c) + g_dfl Σ wₐ meanₛ DFLₐ_ₛ) / T
///     T = max(Σ t, 1),   wₐ = Σ_c tₐ_c,   bₐ = (p − l, p − u, p + r, p + d),   l = Σ k softmax(x)_k
///
/// Heads: "boxes" (B, 4 n, A), n bins for each of the sides left, top, right, bottom, and "scores"
/// (B, C, A), logits; A anchors, level by level, row by row. Boxes and points are in cells of the
/// anchor's level. The target scores t, T, and the matching are constants. With one bin the map is the
/// distance itself, and the last term is its absolute error over the image's sides.
///
/// Source: ultralytics 8.4.190, `v8DetectionLoss`; Li et al. 2020, Generalized Focal Loss, arXiv
/// 2006.04388; Feng et al. 2021, TOOD, arXiv 2108.07755. Chapter: `Spec/Detectors/YOLOv8.md`.
public struct YOLOv8: Objective {
  public static let name = "yolov8"

  public var boxGain = 7.5
  public var classGain = 0.5
  public var distributionGain = 1.5
  /// The number of anchors that a truth picks, and keeps after the conflicts.
  public var topk = 10
  public var topk2: Int?
  public var alpha = 0.5
  public var beta = 6.0
  public var smallTruths = SmallTruthRule.secondStride
  public var validity = ValidityRule.coordinateSum
  /// A factor for each class of the cross-entropy.
  public var classWeights: [Double]?
  /// Whether T is at least 1; in 8.0.0 it was not.
  public var clampsNormalizer = true
  /// Whether the terms are multiplied by the number of images.
  public var scalesWithBatch = true

  /// What happens to truths too small to hold a point: sides below a floor become longer for the
  /// test of points inside. Where there is one level, the second stride is the first.
  public enum SmallTruthRule: String, Sendable, CaseIterable {
    /// Nothing (before 8.4.0).
    case none
    /// Sides below the first stride become the second (8.4.0 to 8.4.80).
    case firstStride
    /// Sides below the second stride become the second (from 8.4.130).
    case secondStride
  }

  /// Which rows take part.
  public enum ValidityRule: String, Sendable, CaseIterable {
    /// Those with x1 + y1 + x2 + y2 > 0, as ultralytics has it.
    case coordinateSum
    /// All.
    case presence
  }

  /// The truths of a batch, and the cells that the heads' anchors are.
  public struct Truths: Sendable, Equatable {
    public var grid: AnchorGrid
    /// In the order of their images' truths.
    public var rows: [Row]

    public init(_ grid: AnchorGrid, _ rows: [Row] = []) {
      self.grid = grid
      self.rows = rows
    }
  }

  /// A truth: its image, its class, and its centre and size over the image's sides.
  public struct Row: Sendable, Equatable {
    public var image, label: Int
    public var x, y, width, height: Double

    public init(
      image: Int, label: Int, x: Double, y: Double, width: Double, height: Double
    ) {
      self.image = image
      self.label = label
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }

  /// The foreground of each image, in the order of the anchors.
  public typealias Decisions = [[TaskAligned.Match]]

  public init() {}

  public var heads: [String] { ["boxes", "scores"] }
  public var terms: [String] { ["box", "class", "distribution"] }

  /// The assignment of an image.
  public func assigner(_ grid: AnchorGrid) -> TaskAligned {
    var assigner = TaskAligned(topk: topk, topk2: topk2, alpha: alpha, beta: beta)
    if let first = grid.levels.first?.stride, smallTruths != .none {
      let second = grid.levels.count > 1 ? grid.levels[1].stride : first
      assigner.smallTruths = TaskAligned.SmallTruths(
        below: smallTruths == .firstStride ? first : second, become: second)
    }
    return assigner
  }

  /// An image's truths by corners in pixels, and which of them take part.
  public func image(_ b: Int, _ truths: Truths) -> (truths: ImageTruths, present: [Bool]) {
    var image = ImageTruths()
    var present: [Bool] = []
    for row in truths.rows where row.image == b {
      let box = row.box(truths.grid)
      image.boxes.append(box)
      image.labels.append(row.label)
      present.append(takesPart(box))
    }
    return (image, present)
  }

  func takesPart(_ box: Box<Double>) -> Bool {
    validity == .presence || box.x1 + box.y1 + box.x2 + box.y2 > 0
  }

  // MARK: Reference

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let assigner = assigner(truths.grid)
    return (0..<heads[0].shape[0]).map { b in
      assigner.optimized(problem(b, heads, truths)).matches
    }
  }

  /// An image as the assigner sees it.
  public func problem(_ b: Int, _ heads: [Tensor], _ truths: Truths) -> TaskAligned.Problem {
    let (image, present) = image(b, truths)
    let (points, strides) = (truths.grid.points, truths.grid.strides)
    let classes = 0..<heads[1].shape[1]
    return TaskAligned.Problem(
      points: points,
      boxes: points.indices.map { a in
        decided(heads[0], b, a, truths.grid).scaled(by: strides[a])
      },
      scores: points.indices.map { a in classes.map { Double.sigmoid(heads[1][b, $0, a]) } },
      truths: image, present: present, grid: truths.grid)
  }

  /// The predicted box, in cells, in the bits that every version decides on.
  private func decided(_ boxes: Tensor, _ b: Int, _ a: Int, _ grid: AnchorGrid) -> Box<Double> {
    let bins = boxes.shape[1] / 4
    let d = (0..<4).map { side in
      binDistance(bins) { DoubleLanes(repeating: boxes[b, side * bins + $0, a]) }[0]
    }
    let (x, y) = grid.cell(a)
    return Box(x1: x - d[0], y1: y - d[1], x2: x + d[2], y2: y + d[3])
  }

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let (boxes, scores) = (heads[0], heads[1])
    let foreground = foreground(boxes, scores, truths, decisions)
    let T = normalizer(foreground)
    let images = S(scalesWithBatch ? Double(boxes.shape[0]) : 1)
    return [
      images * S(boxGain) * overlapTerm(boxes, truths.grid, foreground) / T,
      images * S(classGain) * classTerm(scores, foreground) / T,
      images * S(distributionGain) * distributionTerm(boxes, truths.grid, foreground) / T,
    ]
  }

  /// An anchor of the foreground: its truth in pixels, and its target score.
  public struct Foreground<S: Scalar> {
    public var image, anchor, label: Int
    public var box: Box<Double>
    public var weight: S
  }

  /// The foreground of all images, with their target scores recomputed and held constant.
  public func foreground<S: Scalar>(
    _ boxes: Shaped<S>, _ scores: Shaped<S>, _ truths: Truths, _ decisions: Decisions
  ) -> [Foreground<S>] {
    let assigner = assigner(truths.grid)
    let strides = truths.grid.strides
    return decisions.enumerated().flatMap { b, matches in
      let image = image(b, truths).truths
      let overlaps = matches.map { match -> S in
        guard match.isCandidate else { return 0 }
        let box = box(boxes, b, match.anchor, truths.grid).scaled(by: S(strides[match.anchor]))
        return assigner.overlap(image.boxes[match.truth].constant(), box).detached
      }
      let metrics = zip(matches, overlaps).map { match, overlap -> S in
        guard match.isCandidate else { return 0 }
        let z = scores[b, image.labels[match.truth], match.anchor].detached
        return assigner.metric(.sigmoid(z), overlap)
      }
      let weights = assigner.targetScores(matches, overlaps: overlaps, metrics: metrics)
      return zip(matches, weights).map { match, weight in
        Foreground(
          image: b, anchor: match.anchor, label: image.labels[match.truth],
          box: image.boxes[match.truth], weight: weight)
      }
    }
  }

  /// T = max(Σ t, 1).
  public func normalizer<S: Scalar>(_ foreground: [Foreground<S>]) -> S {
    let total = S.sum(foreground.map(\.weight))
    return clampsNormalizer ? .max(total, 1) : total
  }

  /// Σ w (1 − CIoU), in cells.
  public func overlapTerm<S: Scalar>(
    _ boxes: Shaped<S>, _ grid: AnchorGrid, _ foreground: [Foreground<S>]
  ) -> S {
    let loss = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)
    let strides = grid.strides
    return S.sum(
      foreground.map { fg in
        let target = fg.box.divided(by: strides[fg.anchor]).constant() as Box<S>
        return fg.weight * loss.reference(box(boxes, fg.image, fg.anchor, grid), target)
      })
  }

  /// Σ BCE(z, t) over all anchors and classes.
  public func classTerm<S: Scalar>(_ scores: Shaped<S>, _ foreground: [Foreground<S>]) -> S {
    var targets = scores.map { _ in 0 as S }
    for fg in foreground { targets.data[targets.index(fg.image, fg.label, fg.anchor)] = fg.weight }
    let (classes, anchors) = (scores.shape[1], scores.shape[2])
    return S.sum(
      scores.data.indices.map { i in
        let weight = classWeights.map { S($0[i / anchors % classes]) } ?? 1
        return weight * BinaryCrossEntropy().reference(scores[i], targets[i])
      })
  }

  /// Σ w meanₛ DFL at the truth's distances; with one bin, meanₛ of their absolute errors over the
  /// image's sides.
  public func distributionTerm<S: Scalar>(
    _ boxes: Shaped<S>, _ grid: AnchorGrid, _ foreground: [Foreground<S>]
  ) -> S {
    let bins = boxes.shape[1] / 4
    let (points, strides) = (grid.points, grid.strides)
    let sides = [grid.imageWidth, grid.imageHeight, grid.imageWidth, grid.imageHeight]
    return S.sum(
      foreground.map { fg in
        let (point, stride) = (points[fg.anchor], strides[fg.anchor])
        let distances = Self.distances(to: fg.box, from: point, stride)
        let errors = (0..<4).map { side -> S in
          if bins == 1 {
            let error = S.abs(boxes[fg.image, side, fg.anchor] - S(distances[side]))
            return error * S(stride / sides[side])
          }
          let y = min(max(distances[side], 0), Double(bins - 1) - 0.01)
          return DistributionFocal().reference(
            logits(boxes, fg.image, fg.anchor, side), [S(y)])
        }
        return fg.weight * S.sum(errors) / 4
      })
  }

  /// How far a box's sides are from a point, in cells: left, top, right, bottom.
  static func distances(to box: Box<Double>, from point: Point, _ stride: Double) -> [Double] {
    let (x, y) = (point.x / stride, point.y / stride)
    return [
      x - box.x1 / stride, y - box.y1 / stride, box.x2 / stride - x, box.y2 / stride - y,
    ]
  }

  /// The logits of a side's bins.
  public func logits<S: Scalar>(_ boxes: Shaped<S>, _ b: Int, _ a: Int, _ side: Int) -> [S] {
    let bins = boxes.shape[1] / 4
    return (0..<bins).map { boxes[b, side * bins + $0, a] }
  }

  /// The predicted box, in cells.
  public func box<S: Scalar>(
    _ boxes: Shaped<S>, _ b: Int, _ a: Int, _ grid: AnchorGrid
  ) -> Box<S> {
    let d = (0..<4).map { side -> S in
      let x = logits(boxes, b, a, side)
      if x.count == 1 { return x[0] }
      let p = Softmax.negativeLogProbabilities(x).map { S.exp(-$0) }
      return S.sum(p.enumerated().map { S(Double($0)) * $1 })
    }
    let (x, y) = grid.cell(a)
    return Box(x1: S(x) - d[0], y1: S(y) - d[1], x2: S(x) + d[2], y2: S(y) + d[3])
  }

  // MARK: Optimized
  // YOLOv8Optimized.swift, an image at a time; YOLOv8Workspace.swift, a whole batch in kept memory.
}

extension YOLOv8.Row {
  /// Its corners in pixels.
  @inline(always)
  public func box(_ grid: AnchorGrid) -> Box<Double> {
    let (w, h) = (width * grid.imageWidth, height * grid.imageHeight)
    let (cx, cy) = (x * grid.imageWidth, y * grid.imageHeight)
    return Box(x1: cx - w / 2, y1: cy - h / 2, x2: cx + w / 2, y2: cy + h / 2)
  }
}

extension Box where Number: Scalar {
  func scaled(by factor: Number) -> Self {
    Self(x1: x1 * factor, y1: y1 * factor, x2: x2 * factor, y2: y2 * factor)
  }
}

extension Box<Double> {
  func divided(by divisor: Double) -> Self {
    Self(x1: x1 / divisor, y1: y1 / divisor, x2: x2 / divisor, y2: y2 / divisor)
  }

  /// The same box, as a constant of another kind of number.
  func constant<S: Scalar>() -> Box<S> {
    Box<S>(x1: S(x1), y1: S(y1), x2: S(x2), y2: S(y2))
  }
}

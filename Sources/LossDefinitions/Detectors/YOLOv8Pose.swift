/// YOLOv8's pose objective: the detection objective, the places of keypoints by OKS, and whether each is
/// visible.
///
///     L_pose = B g_pose Σₐₖ K / (visₐ + 1e-9) vₐₖ (1 − exp(−dₐₖ² / (8 σₖ² (areaₐ + 1e-9)))) / (n K)
///     L_kobj = B g_kobj Σₐₖ BCE(oₐₖ, vₐₖ) / (n K)
///
/// n is the number of anchors of the foreground in the batch, K that of keypoints; v is 1 where the
/// truth's keypoint has a visibility other than 0, vis their number. Places are 2 x + p − ½ in cells of
/// the anchor's level, x the head's output and p the anchor's point; area is the box's, in cells
/// squared.
///
/// Heads: "boxes" and "scores" as for detection, and "kpts" (B, K D, A), D = 2 or 3 numbers a keypoint:
/// x, y, and a logit of its visibility. With D = 2 every keypoint is visible.
///
/// Source: ultralytics 8.4.190, `v8PoseLoss`; Maji et al. 2022, YOLO-Pose. Chapter:
/// `Spec/Detectors/YOLOv8Pose.md`.
public struct YOLOv8Pose: Objective {
  public static let name = "yolov8_pose"

  /// The gains, and the rules of the assignment.
  public var detection = YOLOv8()
  public var poseGain = 12.0
  public var visibilityGain = 1.0
  /// One σ a keypoint; nil: COCO's for 17 keypoints with visibility, else 1 / K.
  public var sigmas: [Double]?

  /// COCO's 17.
  public static let cocoSigmas = [
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107,
    0.087, 0.087, 0.089, 0.089,
  ]

  public struct Truths: Sendable, Equatable {
    public var detection: YOLOv8.Truths
    /// (N, K, D): a row a truth; x, y over the image's sides, and the visibility.
    public var keypoints: Tensor

    public init(_ detection: YOLOv8.Truths, _ keypoints: Tensor) {
      self.detection = detection
      self.keypoints = keypoints
    }
  }

  public init() {}

  public var heads: [String] { ["boxes", "scores", "kpts"] }
  public var terms: [String] { ["box", "pose", "visibility", "class", "distribution"] }

  /// The σ of each of `count` keypoints of `dimensions` numbers.
  public func sigmas(_ count: Int, _ dimensions: Int) -> [Double] {
    if let sigmas { return sigmas }
    return count == 17 && dimensions == 3
      ? Self.cocoSigmas : Array(repeating: 1 / Double(count), count: count)
  }

  // MARK: Reference

  public func decide(_ heads: [Tensor], _ truths: Truths) -> YOLOv8.Decisions {
    detection.decide(Array(heads[..<2]), truths.detection)
  }

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [S] {
    let plain = detection.reference(Array(heads[..<2]), truths.detection, decisions)
    let outputs = heads[2]
    let points = points(truths, decisions)
    let places = points.map { point -> S in
      let (x, y) = (
        2 * outputs[point.image, point.channel, point.anchor] + S(point.shift.x),
        2 * outputs[point.image, point.channel + 1, point.anchor] + S(point.shift.y)
      )
      let target = KeypointTarget<S>(
        x: S(point.x), y: S(point.y), σ: S(point.σ), area: S(point.area))
      return S(point.weight) * OKS(epsilon: 1e-9).reference(x, y, target)
    }
    let visibilities = points.filter(\.hasVisibility).map { point -> S in
      let logit = outputs[point.image, point.channel + 2, point.anchor]
      return BinaryCrossEntropy().reference(logit, point.isVisible ? 1 : 0)
    }
    let factor = detection.scalesWithBatch ? Double(outputs.shape[0]) : 1
    let count = S(Double(Swift.max(1, points.count)))
    return [
      plain[0], S(factor * poseGain) * .sum(places) / count,
      S(factor * visibilityGain) * .sum(visibilities) / count, plain[1], plain[2],
    ]
  }

  /// A keypoint of an anchor of the foreground.
  struct Keypoint {
    var image, anchor: Int
    /// The channel of its x.
    var channel: Int
    var hasVisibility, isVisible: Bool
    /// K / (vis + 1e-9) where it is visible, else 0.
    var weight: Double
    /// Its true place, in cells.
    var x, y: Double
    /// p − ½.
    var shift: (x: Double, y: Double)
    var σ, area: Double
  }

  func points(_ truths: Truths, _ decisions: YOLOv8.Decisions) -> [Keypoint] {
    let keypoints = truths.keypoints
    let (count, dimensions) = (keypoints.shape[1], keypoints.shape[2])
    let sigmas = sigmas(count, dimensions)
    let grid = truths.detection.grid
    let strides = grid.strides
    return decisions.enumerated().flatMap { b, matches -> [Keypoint] in
      let rows = truths.detection.rows.indices.filter { truths.detection.rows[$0].image == b }
      return matches.flatMap { match -> [Keypoint] in
        let row = rows[match.truth]
        let stride = strides[match.anchor]
        let box = truths.detection.rows[row].box(grid).divided(by: stride)
        let cell = grid.cell(match.anchor)
        let visible = (0..<count).map { dimensions == 2 || keypoints[row, $0, 2] != 0 }
        let weight = Double(count) / (Double(visible.count { $0 }) + 1e-9)
        return (0..<count).map { k in
          Keypoint(
            image: b, anchor: match.anchor, channel: dimensions * k,
            hasVisibility: dimensions == 3, isVisible: visible[k],
            weight: visible[k] ? weight : 0,
            x: keypoints[row, k, 0] * grid.imageWidth / stride,
            y: keypoints[row, k, 1] * grid.imageHeight / stride,
            shift: (cell.x - 0.5, cell.y - 0.5), σ: sigmas[k], area: box.width * box.height)
        }
      }
    }
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [Double] {
    let plain = detection.optimized(Array(heads[..<2]), truths.detection, decisions)
    let outputs = heads[2]
    outputs.clearGradient()
    let points = points(truths, decisions)
    let factor = detection.scalesWithBatch ? Double(outputs.shape[0]) : 1
    let count = Double(max(1, points.count))

    // The places in Double: a difference of nearby numbers.
    let places = points.flatMap { point -> [Double] in
      let x = outputs.values[outputs.index(point.image, point.channel, point.anchor)]
      let y = outputs.values[outputs.index(point.image, point.channel + 1, point.anchor)]
      return [2 * Double(x) + point.shift.x, 2 * Double(y) + point.shift.y]
    }
    var slopes = [Double](repeating: 0, count: places.count)
    let pose = OKS(epsilon: 1e-9).total(
      count: points.count, width: 2, places, points.flatMap { [$0.x, $0.y, $0.σ, $0.area] },
      weights: points.map(\.weight), over: count / (factor * poseGain), gradient: &slopes)

    let seen = points.filter(\.hasVisibility)
    let logits = seen.map {
      outputs.values[outputs.index($0.image, $0.channel + 2, $0.anchor)]
    }
    var visibilitySlopes = [Element](repeating: 0, count: seen.count)
    let visibility = BinaryCrossEntropy().total(
      count: seen.count, width: 1, logits, seen.map { $0.isVisible ? 1 as Element : 0 },
      over: count / (factor * visibilityGain), gradient: &visibilitySlopes)

    for (i, point) in points.enumerated() {
      for axis in 0..<2 {
        outputs.gradient[outputs.index(point.image, point.channel + axis, point.anchor)] =
          Element(2 * slopes[2 * i + axis])
      }
    }
    for (point, slope) in zip(seen, visibilitySlopes) {
      outputs.gradient[outputs.index(point.image, point.channel + 2, point.anchor)] = slope
    }
    return [plain[0], pose, visibility, plain[1], plain[2]]
  }
}

/// The two-stage example of the chapters: three images of 32 x 32 pixels with two, one and no truths,
/// proposals, masks, and 15 anchors.
public enum RCNNExample {
  /// Three shapes (h / w of 1/2, 1, 2) at the four cells of stride 16 and at the one of stride 32.
  public static let anchors: [Box<Double>] = [16.0, 32].flatMap { stride in
    let cells = (0..<Int(32 / stride)).map { (Double($0) + 0.5) * stride }
    return cells.flatMap { y in
      cells.flatMap { x in
        [0.5, 1, 2].map { ratio in
          let (w, h) = (stride * (1 / ratio).squareRoot() / 2, stride * ratio.squareRoot() / 2)
          return Box(x1: x - w, y1: y - h, x2: x + w, y2: y + h)
        }
      }
    }
  }

  public static let truths = [
    ImageTruths([Box([1, 2, 15, 17]), Box([5, 6, 31, 29])], labels: [1, 3]),
    ImageTruths([Box([14, 3, 30, 14])], labels: [2]),
    ImageTruths(),
  ]

  public static let proposals = [
    [[0, 1, 14, 18], [6, 5, 30, 31], [16, 0, 28, 9], [2, 20, 12, 31], [9, 9, 17, 15]],
    [[13, 2, 29, 15], [1, 16, 11, 30], [20, 18, 31, 30]],
    [[3, 3, 20, 21], [8, 12, 30, 30]],
  ].map { $0.map { Box($0.map { Double($0) }) } }

  /// An ellipse, a box without a corner, and a box with holes, in pixels (x, y).
  public static let masks: [[Tensor]] = [
    [
      mask { x, y in
        let (u, v) = ((Double(x) - 7.5) / 7, (Double(y) - 9) / 7.25)
        return u * u + v * v <= 1
      },
      mask { x, y in (5..<31).contains(x) && (6..<29).contains(y) && x + y >= 23 },
    ],
    [mask { x, y in (14..<30).contains(x) && (3..<14).contains(y) && (x + 2 * y) % 7 != 0 }],
    [],
  ]

  private static func mask(_ contains: (Int, Int) -> Bool) -> Tensor {
    Tensor([32, 32], (0..<1024).map { contains($0 % 32, $0 / 32) ? 1 : 0 })
  }

  /// The first rows of the heads over regions: 4 class columns, 4 deltas of each, 4 masks of 4 x 4.
  static func heads(_ rows: Int) -> (logits: Tensor, deltas: Tensor, masks: Tensor) {
    (
      pattern([rows, 4], 17, 1, 43, 21, 12), pattern([rows, 16], 19, 6, 47, 23, 18),
      pattern([rows, 4, 4, 4], 23, 8, 53, 26, 15)
    )
  }

  /// The same of Matterport, whose masks are probabilities with the channels last.
  static func matterportHeads(_ rows: Int) -> (logits: Tensor, deltas: Tensor, masks: Tensor) {
    (
      pattern([rows, 4], 37, 4, 59, 29, 14), pattern([rows, 16], 31, 7, 61, 30, 16),
      pattern([rows, 4, 4, 4], 37, 9, 67, 33, 17).map { .sigmoid($0) }
    )
  }

  /// The regions that images learn from, their target deltas, and their target masks of 4 x 4.
  public struct Regions: Sendable {
    public var matchings: [ProposalTargets.Matching] = []
    public var labels: [Int] = []
    public var deltas: [Double] = []
    public var channels: [Int?] = []
    public var masks = Tensor(zeros: [0, 4, 4])
  }

  public static func regions(
    _ images: [Int], _ rules: ProposalTargets, _ coder: BoxDeltas, _ rule: MaskTargets.Rule,
    normalized: Bool = false
  ) -> Regions {
    let targets = MaskTargets(rule, rows: 4, columns: 4)
    var regions = Regions()
    for image in images {
      func box(_ box: Box<Double>) -> Box<Double> {
        normalized ? box.normalized(height: 32, width: 32) : box
      }
      let boxes = truths[image].boxes.map(box)
      let problem = ProposalTargets.Problem(
        proposals: proposals[image].map(box),
        truths: ImageTruths(boxes, labels: truths[image].labels))
      let matching = rules.reference(problem)
      let candidates = rules.candidates(problem)
      regions.matchings.append(matching)
      regions.labels += matching.labels
      regions.deltas += rules.deltas(problem, matching, by: coder)
      for (row, owner) in zip(matching.rows, matching.owners) {
        regions.channels.append(owner.map { truths[image].labels[$0] })
        guard let owner, let row else {
          regions.masks.append([Double](repeating: 0, count: 16))
          continue
        }
        regions.masks.append(
          targets(masks[image][owner], in: candidates[row], owner: boxes[owner]))
      }
    }
    return regions
  }

  /// torchvision's regions of the first two images.
  public static var torchvision: Regions {
    regions([0, 1], .torchvision, BoxDeltas(weights: [10, 10, 5, 5]), .soft)
  }

  /// Matterport's, eight an image.
  public static var matterport: Regions {
    var rules = ProposalTargets.matterport
    rules.paddedRows = 8
    let coder = BoxDeltas(.yx, deviations: [0.1, 0.1, 0.2, 0.2])
    return regions([0, 1], rules, coder, .crop, normalized: true)
  }
}

extension Tensor {
  /// Adds a plane at the end of a stack.
  mutating func append(_ plane: [Double]) {
    shape[0] += 1
    data += plane
  }
}

extension Box where Number == Double {
  /// Corners in pixels in Matterport's units: 1 is the last pixel, and the upper corners are moved to
  /// the pixels that they include.
  public func normalized(height: Int, width: Int) -> Self {
    let (h, w) = (Double(height - 1), Double(width - 1))
    return Self(x1: x1 / w, y1: y1 / h, x2: (x2 - 1) / w, y2: (y2 - 1) / h)
  }
}

// MARK: - Scenes

extension FastRCNN {
  public static var worked: [WorkedScene<Self>] {
    let pixels = RCNNExample.torchvision
    let heads = RCNNExample.heads(pixels.labels.count)
    let plain = Scene(
      [heads.logits, heads.deltas], Truths(labels: pixels.labels, deltas: pixels.deltas))
    var inactive = matterportScene(padding: 0)
    inactive.truths.active = [true, true, false, true]
    return [
      WorkedScene("torchvision", torchvisionRules, plain),
      WorkedScene("detectron2", detectron2Rules, plain.backgroundLast),
      WorkedScene("Matterport", matterportRules, matterportScene(padding: 0)),
      WorkedScene("Matterport, class 2 inactive", matterportRules, inactive),
      WorkedScene("Matterport, twelve regions", matterportRules, matterportScene(padding: 4)),
    ]
  }

  /// Matterport's example with further rows of padding for each image, which the class head is sure
  /// of: logits 4, 0, 0, 0.
  static func matterportScene(padding: Int) -> Scene<Truths> {
    let regions = RCNNExample.matterport
    let heads = RCNNExample.matterportHeads(regions.labels.count)
    let rows = 2 * padding
    return Scene(
      [
        Tensor(
          [16 + rows, 4], heads.logits.data + (0..<4 * rows).map { $0 % 4 == 0 ? 4 : 0 }),
        Tensor([16 + rows, 16], heads.deltas.data + [Double](repeating: 0, count: 16 * rows)),
      ],
      Truths(
        labels: regions.labels + [Int](repeating: 0, count: rows),
        deltas: regions.deltas + [Double](repeating: 0, count: 4 * rows),
        active: [true, true, true, true]))
  }
}

extension Scene where Truths == FastRCNN.Truths {
  /// The same rows in detectron2's layout: the background's column last, and no deltas of it.
  fileprivate var backgroundLast: Scene {
    let columns = heads[0].columns
    let rows = truths.labels.indices
    return Scene(
      [
        Tensor(
          heads[0].shape,
          rows.flatMap { row in (0..<columns).map { heads[0][row, ($0 + 1) % columns] } }),
        Tensor(
          [rows.count, 4 * (columns - 1)],
          rows.flatMap { row in (4..<4 * columns).map { heads[1][row, $0] } }),
      ],
      FastRCNN.Truths(
        labels: truths.labels.map { ($0 + columns - 1) % columns }, deltas: truths.deltas))
  }
}

extension MaskHead {
  public static var worked: [WorkedScene<Self>] {
    let soft = RCNNExample.torchvision
    let hard = RCNNExample.regions(
      [0, 1], .torchvision, BoxDeltas(weights: [10, 10, 5, 5]), .hard)
    let masks = RCNNExample.heads(soft.labels.count).masks
    let cropped = RCNNExample.matterport
    let probabilities = RCNNExample.matterportHeads(cropped.labels.count).masks
    return [
      WorkedScene(
        "torchvision", Self(), Scene([masks], Truths(channels: soft.channels, masks: soft.masks))),
      WorkedScene(
        "detectron2", Self(), Scene([masks], Truths(channels: hard.channels, masks: hard.masks))),
      WorkedScene(
        "Matterport", matterportRules,
        Scene([probabilities], Truths(channels: cropped.channels, masks: cropped.masks))),
    ]
  }
}

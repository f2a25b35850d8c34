/// One image of a detector with anchors: its anchors, its truths, and, where they are not left to the
/// objective's rule, the matches.
public struct AnchoredImage: Sendable, Equatable {
  /// In the order of the heads' rows: level by level, row by row, the anchors of a cell last.
  public var anchors: [Box<Double>]
  public var truths: ImageTruths
  /// Each anchor's truth, or `background` or `ignored`; nil: the objective matches.
  public var matches: [Int]?

  public init(_ anchors: [Box<Double>], _ truths: ImageTruths, matches: [Int]? = nil) {
    self.anchors = anchors
    self.truths = truths
    self.matches = matches
  }

  public static let background = -1
  public static let ignored = -2
}

extension AnchoredImage {
  /// Refuses anchors and truths without area, labels outside 0 ..< `classes`, matches with no truth.
  func check(image: Int, anchors count: Int, classes: Int) throws(InvalidInput) {
    guard anchors.count == count else {
      throw InvalidInput(
        "anchors", image: image, given: "\(anchors.count) anchors", expected: "\(count)")
    }
    try truths.check(image: image, classes: classes)
    for (name, boxes) in [("anchors", anchors), ("boxes", truths.boxes)] {
      for (i, box) in boxes.enumerated()
      where !(box.width > 0 && box.height > 0 && box.width.isFinite && box.height.isFinite) {
        throw InvalidInput(
          name, image: image, index: i, given: "\(box.width) x \(box.height)",
          expected: "positive sides")
      }
    }
    guard let matches else { return }
    guard matches.count == count else {
      throw InvalidInput(
        "matches", image: image, given: "\(matches.count) matches", expected: "\(count)")
    }
    for (i, match) in matches.enumerated()
    where match < Self.ignored || match >= truths.boxes.count {
      throw InvalidInput(
        "matches", image: image, index: i, given: "truth \(match)",
        expected: "below \(truths.boxes.count), or -1 or -2")
    }
  }

  /// The IoU of each truth with each anchor.
  var overlaps: [[Double]] {
    truths.boxes.map { truth in anchors.map { $0.overlap(truth) } }
  }

  /// Each anchor's truth or `background` or `ignored`: as given, or by an assigner.
  func matches(by assigner: MaxIoU) -> [Int] {
    if let matches { return matches }
    let matching = assigner.optimized(
      MaxIoU.Problem(anchors: anchors, truths: truths.boxes))
    return zip(matching.owners, matching.labels).map { owner, label in
      owner ?? (label == 0 ? Self.background : Self.ignored)
    }
  }

  /// Whether an anchor overlaps two truths alike, or a truth two anchors: which one is met first then
  /// decides.
  var hasTies: Bool {
    let overlaps = overlaps
    for (g, row) in overlaps.enumerated() {
      for h in 0..<g where zip(row, overlaps[h]).contains(where: { $0 == $1 && $0 > 0 }) {
        return true
      }
    }
    return false
  }
}

// MARK: - What laws do to a scene

extension Scene where Truths == [AnchoredImage] {
  /// Each image alone, as a batch of one.
  var eachImage: [Scene] {
    truths.indices.map { image in Scene(heads.map { $0.image(image) }, [truths[image]]) }
  }

  /// The images in the opposite order.
  var withReversedImages: Scene {
    Scene(
      heads.map { Tensor.images($0.images.reversed(), like: $0) }, truths.reversed())
  }

  /// The batch, followed by itself.
  var twice: Scene {
    Scene(heads.map { Tensor.images($0.images + $0.images, like: $0) }, truths + truths)
  }

  /// Each image's truths in the opposite order, and given matches with them.
  var withTruthsReversed: Scene {
    Scene(
      heads,
      truths.map { image in
        let count = image.truths.boxes.count
        return AnchoredImage(
          image.anchors,
          ImageTruths(image.truths.boxes.reversed(), labels: image.truths.labels.reversed()),
          matches: image.matches?.map { $0 < 0 ? $0 : count - 1 - $0 })
      })
  }
}

// MARK: - Scenes

extension AnchoredImage {
  static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "given", "confident", "empty",
  ]

  /// The anchors of a 64 x 64 image: strides 16 and 32, one upright and one wide anchor a cell.
  static let sampleAnchors: [Box<Double>] = {
    var anchors: [Box<Double>] = []
    for stride in [16.0, 32] {
      let cells = Int(64 / stride)
      for cell in 0..<cells * cells {
        let (x, y) = (Double(cell % cells) + 0.5, Double(cell / cells) + 0.5)
        for (wide, tall) in [(1.0, 1.25), (1.5, 0.75)] {
          anchors.append(
            Box(
              centerX: x * stride, centerY: y * stride, width: wide * stride,
              height: tall * stride))
        }
      }
    }
    return anchors
  }()

  /// An image of a stratum: truths near anchors, or anywhere.
  static func sample(
    _ stratum: String, image: Int, using random: inout SplitMix
  ) -> AnchoredImage {
    let anchors = sampleAnchors
    let most =
      switch stratum {
      case "empty": image == 0 ? 0 : 1
      case "crowded": 5
      default: 3
      }
    var truths = ImageTruths()
    for _ in 0..<random.integer((most > 2 ? 1 : 0)...most) {
      truths.boxes.append(box(stratum, near: anchors, using: &random))
      truths.labels.append(random.integer(0...2))
    }
    if stratum == "duplicate", let box = truths.boxes.first {
      truths.boxes.append(box)
      truths.labels.append(truths.labels[0])
    }
    var matches: [Int]?
    if stratum == "given" {
      matches = anchors.map { _ in
        random.chance(0.6) ? background : random.integer(ignored...truths.boxes.count - 1)
      }
    }
    return AnchoredImage(anchors, truths, matches: matches)
  }

  private static func box(
    _ stratum: String, near anchors: [Box<Double>], using random: inout SplitMix
  ) -> Box<Double> {
    func eighths(_ range: ClosedRange<Int>) -> Double { Double(random.integer(range)) / 8 }
    switch stratum {
    case "tiny":
      return Box(
        centerX: eighths(0...512), centerY: eighths(0...512), width: eighths(4...40),
        height: eighths(4...40))
    case "border":
      return Box(
        centerX: random.pick([0.0, 64]) + eighths(-32...32), centerY: eighths(0...512),
        width: eighths(128...384), height: eighths(128...384))
    default:
      let anchor = random.pick(anchors)
      let (w, h) = (Int(anchor.width), Int(anchor.height))
      return Box(
        centerX: (anchor.x1 + anchor.x2) / 2 + eighths(-w...w),
        centerY: (anchor.y1 + anchor.y2) / 2 + eighths(-h...h),
        width: anchor.width + eighths(-2 * w...4 * w),
        height: anchor.height + eighths(-2 * h...4 * h))
    }
  }
}

extension Box where Number == Double {
  init(centerX: Double, centerY: Double, width: Double, height: Double) {
    self.init(
      x1: centerX - width / 2, y1: centerY - height / 2, x2: centerX + width / 2,
      y2: centerY + height / 2)
  }
}

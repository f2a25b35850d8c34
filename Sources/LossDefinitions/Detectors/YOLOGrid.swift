/// A prior's size in pixels.
public struct PriorSize: Sendable, Equatable {
  public var width: Double
  public var height: Double

  public init(_ width: Double, _ height: Double) {
    self.width = width
    self.height = height
  }

  /// The IoU of two boxes of these sizes about one centre; 0 of two without area.
  public func overlap(_ other: Self) -> Double {
    let common = Swift.min(width, other.width) * Swift.min(height, other.height)
    return .quotient(common, width * height + other.width * other.height - common)
  }
}

/// A head's geometry: what a cell spans in pixels, and the priors of its slots.
public struct GridLevel: Sendable, Equatable {
  public var stride: Double
  public var priors: [PriorSize]

  public init(stride: Double, priors: [PriorSize]) {
    self.stride = stride
    self.priors = priors
  }
}

extension CenteredBox where Number: Scalar {
  /// I / (P + T − I), and 0 of two boxes without area.
  public func iou(_ other: Self) -> Number {
    let overlap = corners.intersection(other.corners)
    return .quotient(overlap, w * h + other.w * other.h - overlap)
  }
}

extension CenteredBox<Double> {
  public init(_ box: Box<Double>) {
    self.init(
      cx: 0.5 * (box.x1 + box.x2), cy: 0.5 * (box.y1 + box.y2), w: box.width, h: box.height)
  }

  public var size: PriorSize { PriorSize(w, h) }
}

/// Where the numbers of a YOLO head lie: images × rows × columns × channels, or images × channels ×
/// rows × columns; the channels of a cell are its slots' x, y, w, h, objectness and classes.
///
/// A slot of the head is counted image by image, row by row, column by column, prior by prior.
public struct Grid: Sendable, Equatable {
  public let images, rows, columns, slots, entries: Int
  public let isChannelsFirst: Bool

  public init(_ shape: [Int], slots: Int, isChannelsFirst: Bool) {
    images = shape[0]
    rows = shape[isChannelsFirst ? 2 : 1]
    columns = shape[isChannelsFirst ? 3 : 2]
    self.slots = slots
    entries = shape[isChannelsFirst ? 1 : 3] / slots
    self.isChannelsFirst = isChannelsFirst
  }

  public var classes: Int { entries - 5 }
  public var count: Int { images * rows * columns * slots }

  public func slot(image: Int, row: Int, column: Int, prior: Int) -> Int {
    ((image * rows + row) * columns + column) * slots + prior
  }

  public func place(_ slot: Int) -> (image: Int, row: Int, column: Int, prior: Int) {
    let cell = slot / slots
    return (cell / (rows * columns), cell / columns % rows, cell % columns, slot % slots)
  }

  /// Where an entry of a slot lies in the head.
  public func offset(_ slot: Int, _ entry: Int) -> Int {
    guard isChannelsFirst else { return slot * entries + entry }
    let at = place(slot)
    return ((at.image * slots + at.prior) * entries + entry) * rows * columns
      + at.row * columns + at.column
  }
}

/// The numbers of a head with their geometry.
public struct GridHead<S> {
  public let level: GridLevel
  public let grid: Grid
  public let values: [S]

  public subscript(_ slot: Int, _ entry: Int) -> S { values[grid.offset(slot, entry)] }
}

extension GridHead where S: Scalar {
  /// The box that a slot predicts: the centre (σ(x) + column) · stride, the width eʷ · prior.
  public func box(_ slot: Int) -> CenteredBox<S> {
    let at = grid.place(slot)
    let prior = level.priors[at.prior]
    return CenteredBox(
      cx: (.sigmoid(self[slot, 0]) + S(Double(at.column))) * S(level.stride),
      cy: (.sigmoid(self[slot, 1]) + S(Double(at.row))) * S(level.stride),
      w: .exp(self[slot, 2]) * S(prior.width),
      h: .exp(self[slot, 3]) * S(prior.height))
  }
}

/// What a truth asks of the slot that it owns, as plain numbers.
public struct GridTarget: Sendable {
  public let box: CenteredBox<Double>
  /// The centre's distance from the corner of its cell, in cells.
  public let x, y: Double
  public let prior: PriorSize
  /// 2 − w h, of the truth's sides in parts of the image's: small boxes count for more.
  public let scale: Double

  init(_ box: CenteredBox<Double>, in slot: Int, of grid: Grid, _ level: GridLevel) {
    let at = grid.place(slot)
    self.box = box
    x = box.cx / level.stride - Double(at.column)
    y = box.cy / level.stride - Double(at.row)
    prior = level.priors[at.prior]
    let area = Double(grid.rows) * level.stride * (Double(grid.columns) * level.stride)
    scale = 2 - box.w * box.h / area
  }
}

/// What is decided of one head: which truth owns which slot, and which predictions are left out.
public struct GridLabels: Sendable, Equatable {
  /// A slot that a truth owns.
  public struct Positive: Sendable, Equatable {
    public let slot, image: Int
    /// The truth's index in its image: the last that claimed the slot.
    public fileprivate(set) var truth: Int
    /// The classes asked for, ascending.
    public fileprivate(set) var classes: [Int]
  }

  public private(set) var positives: [Positive] = []
  /// For each slot, its index in `positives`, or −1.
  public private(set) var owner: [Int]
  /// For each slot, whether its predicted box overlaps a compared truth enough not to be called
  /// background; a positive's objectness does not ask.
  public private(set) var isOverlapping: [Bool]
  /// For each image, the truths that its predictions are compared with.
  public var compared: [[Int]]

  init(_ grid: Grid) {
    owner = Array(repeating: -1, count: grid.count)
    isOverlapping = Array(repeating: false, count: grid.count)
    compared = Array(repeating: [], count: grid.images)
  }

  /// The slots without truth whose objectness is asked to be 0.
  public var background: [Int] {
    owner.indices.filter { owner[$0] < 0 && !isOverlapping[$0] }
  }

  /// Gives a slot to a truth: its box is the last one's; classes add up, or are the last one's.
  mutating func claim(
    _ slot: Int, image: Int, truth: Int, label: Int, addingClasses: Bool
  ) {
    guard owner[slot] >= 0 else {
      owner[slot] = positives.count
      positives.append(Positive(slot: slot, image: image, truth: truth, classes: [label]))
      return
    }
    positives[owner[slot]].truth = truth
    let others = addingClasses ? positives[owner[slot]].classes.filter { $0 != label } : []
    positives[owner[slot]].classes = (others + [label]).sorted()
  }

  /// Marks the slots whose predicted box has an IoU with a compared truth that is large enough.
  mutating func markOverlaps(
    _ head: GridHead<Double>, truth: (_ image: Int, _ index: Int) -> CenteredBox<Double>,
    where isEnough: (Double) -> Bool
  ) {
    for slot in owner.indices {
      let image = head.grid.place(slot).image
      guard !compared[image].isEmpty else { continue }
      let box = head.box(slot)
      isOverlapping[slot] = compared[image].contains { isEnough(box.iou(truth(image, $0))) }
    }
  }
}

/// A training objective of YOLO heads: grids of cells, slots with a prior each.
public protocol GridObjective: Objective where Truths == [ImageTruths], Decisions == [GridLabels] {
  /// The geometry of each head.
  var levels: [GridLevel] { get }
  /// Whether channels come before rows and columns.
  static var isChannelsFirst: Bool { get }
  /// Whether the terms are divided by the number of images.
  static var isMeanOverImages: Bool { get }
  /// A truth's centre and size, as its targets are made of them.
  func centered(_ truth: Box<Double>) -> CenteredBox<Double>
}

extension GridObjective {
  public static var isChannelsFirst: Bool { false }
  public static var isMeanOverImages: Bool { true }
  public func centered(_ truth: Box<Double>) -> CenteredBox<Double> { CenteredBox(truth) }

  public func grid(_ level: Int, _ shape: [Int]) -> Grid {
    Grid(shape, slots: levels[level].priors.count, isChannelsFirst: Self.isChannelsFirst)
  }

  public func gridHeads<S>(_ heads: [Shaped<S>]) -> [GridHead<S>] {
    heads.indices.map {
      GridHead(level: levels[$0], grid: grid($0, heads[$0].shape), values: heads[$0].data)
    }
  }

  /// What the terms are divided by; an empty batch costs 0.
  func divisor(_ grid: Grid) -> Double {
    Self.isMeanOverImages ? Double(Swift.max(1, grid.images)) : 1
  }

  func target(
    _ positive: GridLabels.Positive, _ truths: Truths, _ grid: Grid, _ level: GridLevel
  ) -> GridTarget {
    GridTarget(
      centered(truths[positive.image].boxes[positive.truth]), in: positive.slot, of: grid, level)
  }
}

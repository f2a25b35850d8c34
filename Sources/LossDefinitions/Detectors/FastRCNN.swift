/// The second stage of a two-stage detector: the class of each sampled region and its box.
///
///     class = g / N Σᵢ −ln softmax(xᵢ)[yᵢ]
///     box   = h / M Σ_{i in P} Σₖ smoothL1(d_{i, yᵢ, k} − δ_{i, k})
///
/// xᵢ: logits of C classes and the background; yᵢ: the row's class; P: the rows whose class is not the
/// background; d: four deltas a class; δ: the target deltas. N is the number of rows, M the number of
/// rows or 4 times that of P; g and h are the gains. Rows and targets are constant.
///
/// Source: Girshick 2015, Fast R-CNN, arXiv 1504.08083, section 2.3; torchvision 0.28.0, detectron2
/// 02b5c4e, Matterport Mask_RCNN 0.2. Chapter: `Spec/Detectors/FastRCNN.md`.
public struct FastRCNN: Objective {
  public static let name = "fastrcnn"
  public static let dialects: [Dialect] = [
    torchvision, detectron2, matterportClass, matterportBox,
  ]

  public enum Background: Sendable {
    /// Column 0 (torchvision, Matterport).
    case first
    /// The last column (detectron2).
    case last
  }

  /// What a row of a head lists, one group of numbers each.
  public enum Columns: Sendable {
    /// Every class and the background: group y is class y's.
    case all
    /// Every class without the background.
    case classes
    /// One group for all classes.
    case one
  }

  /// Which rows the class term averages over.
  public enum Counting: Sendable {
    case all
    /// Those whose predicted class, the arg max of the logits, is active (Matterport).
    case active
  }

  /// What the box term is divided by, at least 1.
  public enum Normalizer: Sendable {
    case rows
    /// Four times the rows that are not background (Matterport).
    case foregroundDeltas
  }

  public var background = Background.first
  public var boxColumns = Columns.all
  public var counting = Counting.all
  public var normalizer = Normalizer.rows
  /// Where smooth L1 turns from a parabola into a line; 0 is the absolute error.
  public var beta = 1.0 / 9
  public var classGain = 1.0
  public var boxGain = 1.0

  /// What the rows are held against.
  public struct Truths: Sendable, Equatable {
    /// The class column of each row.
    public var labels: [Int]
    /// Four target deltas a row, in the order of the head; those of the background are not read.
    public var deltas: [Double]
    /// Whether each class column occurs in the data set of the images; nil: all.
    public var active: [Bool]?

    public init(labels: [Int], deltas: [Double], active: [Bool]? = nil) {
      self.labels = labels
      self.deltas = deltas
      self.active = active
    }
  }

  public struct Decisions: Sendable, Equatable {
    /// The rows that the class term counts.
    public var counted: [Int]
    /// The rows that are not background, and the first of each one's four numbers in the box head.
    public var foreground: [Int]
    public var columns: [Int]
  }

  public init() {}

  public var heads: [String] { ["class_logits", "box_deltas"] }
  public var terms: [String] { ["class", "box"] }

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    let (rows, columns) = (truths.labels.count, heads[0].columns)
    try heads[0].check("class_logits", shape: [rows, nil])
    guard columns > 0 else {
      throw InvalidInput(
        "class_logits", given: "no columns", expected: "one of each class and the background's")
    }
    try heads[1].check("box_deltas", shape: [rows, 4 * groups(columns)])
    try heads[0].checkFinite("class_logits")
    try heads[1].checkFinite("box_deltas")
    for (i, label) in truths.labels.enumerated() where !(0..<columns).contains(label) {
      throw InvalidInput("labels", index: i, given: "class \(label)", expected: "0 ..< \(columns)")
    }
    guard truths.deltas.count == 4 * rows else {
      throw InvalidInput(
        "deltas", given: "\(truths.deltas.count) numbers", expected: "\(4 * rows), four a row")
    }
    for i in foreground(truths.labels, columns) {
      for k in 4 * i..<4 * i + 4 where !truths.deltas[k].isFinite {
        throw InvalidInput(
          "deltas", index: k, given: "\(truths.deltas[k])", expected: "a finite number")
      }
    }
    try checkActive(heads[0], truths)
    for (name, gain) in [("classGain", classGain), ("boxGain", boxGain)]
    where !(gain >= 0 && gain.isFinite) {
      throw InvalidInput(name, given: "\(gain)", expected: "a finite number of at least 0")
    }
  }

  /// A mean of no rows has no value: Matterport's is not a number.
  private func checkActive(_ logits: Tensor, _ truths: Truths) throws(InvalidInput) {
    guard counting == .active else { return }
    guard let active = truths.active, active.count == logits.columns else {
      throw InvalidInput(
        "active", given: "\(truths.active?.count ?? 0) flags",
        expected: "\(logits.columns), one a class column")
    }
    guard truths.labels.isEmpty || !counted(logits, truths).isEmpty else {
      throw InvalidInput(
        "active", given: "no row whose predicted class is active", expected: "at least one")
    }
  }

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let columns = heads[0].columns
    let foreground = foreground(truths.labels, columns)
    return Decisions(
      counted: counted(heads[0], truths), foreground: foreground,
      columns: foreground.map { 4 * ($0 * groups(columns) + group(of: truths.labels[$0])) })
  }

  private func counted(_ logits: Tensor, _ truths: Truths) -> [Int] {
    let rows = Array(truths.labels.indices)
    guard counting == .active, let active = truths.active else { return rows }
    return rows.filter { row in
      var top = 0
      for j in 0..<logits.columns where logits[row, top] < logits[row, j] { top = j }
      return active[top]
    }
  }

  private func foreground(_ labels: [Int], _ columns: Int) -> [Int] {
    let none = background == .first ? 0 : columns - 1
    return labels.indices.filter { labels[$0] != none }
  }

  /// The groups of four in a row of the box head.
  private func groups(_ classColumns: Int) -> Int {
    switch boxColumns {
    case .all: classColumns
    case .classes: classColumns - 1
    case .one: 1
    }
  }

  private func group(of label: Int) -> Int {
    switch boxColumns {
    case .all: label
    case .classes: background == .first ? label - 1 : label
    case .one: 0
    }
  }

  /// N and M.
  private func counts(_ truths: Truths, _ decisions: Decisions) -> (rows: Double, deltas: Double) {
    let deltas =
      switch normalizer {
      case .rows: truths.labels.count
      case .foregroundDeltas: 4 * decisions.foreground.count
      }
    return (Double(max(1, decisions.counted.count)), Double(max(1, deltas)))
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let counts = counts(truths, decisions)
    let surprises = decisions.counted.map { row in
      let logits = (0..<heads[0].columns).map { heads[0][row, $0] }
      return SparseSoftmaxCrossEntropy().reference(logits, [S(Double(truths.labels[row]))])
    }
    let errors = zip(decisions.foreground, decisions.columns).flatMap { row, column in
      (0..<4).map { k in
        SmoothL1(beta: beta).reference(heads[1][column + k], S(truths.deltas[4 * row + k]))
      }
    }
    return [
      S(classGain) * S.sum(surprises) / S(counts.rows),
      S(boxGain) * S.sum(errors) / S(counts.deltas),
    ]
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let counts = counts(truths, decisions)
    return [
      classTerm(heads[0], truths, decisions.counted, counts.rows / classGain),
      boxTerm(heads[1], truths, decisions, counts.deltas / boxGain),
    ]
  }

  /// One pass over all rows; those that do not count have the weight 0.
  private func classTerm<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ truths: Truths, _ counted: [Int], _ divisor: Double
  ) -> Double {
    var weights = [Element](repeating: 0, count: truths.labels.count)
    for row in counted { weights[row] = 1 }
    return SparseSoftmaxCrossEntropy().total(
      count: truths.labels.count, width: head.shape[1], head.values, nil, classes: truths.labels,
      weights: weights, over: divisor, gradient: head.gradient)
  }

  /// The differences d − δ, taken in Double so that near the target they keep their digits, against
  /// zero.
  private func boxTerm<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ truths: Truths, _ decisions: Decisions, _ divisor: Double
  ) -> Double {
    let differences = zip(decisions.foreground, decisions.columns).flatMap { row, column in
      (0..<4).map { Element(Double(head.values[column + $0]) - truths.deltas[4 * row + $0]) }
    }
    let zeros = [Element](repeating: 0, count: differences.count)
    var slopes = zeros
    let value = SmoothL1(beta: beta).total(
      count: zeros.count, width: 1, differences, zeros, over: divisor, gradient: &slopes)
    head.clearGradient()
    for (i, column) in decisions.columns.enumerated() {
      for k in 0..<4 { head.gradient[column + k] = slopes[4 * i + k] }
    }
    return value
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.beta = Double(Float(beta))
    rounded.classGain = Double(Float(classGain))
    rounded.boxGain = Double(Float(boxGain))
    return rounded
  }
}

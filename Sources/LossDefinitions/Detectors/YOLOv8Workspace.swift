/// YOLOv8's objective in one call, its assignment included, in memory that is kept for the next.
///
/// From the second batch of the same size on nothing is allocated. Its matching is that of
/// `YOLOv8.decide`. Logits that are not finite are not looked for: the terms are then not finite.
public final class YOLOv8Workspace {
  var search = AlignedSearch()
  /// Four anchors' logits, then their probabilities: bin by bin.
  var bins = Scratch<Double>()

  public init() {}

  /// The terms of a batch, and the gradient of their sum, written to both heads.
  ///
  /// - Parameters:
  ///   - boxes: (B, 4 n, A) logits of the distances.
  ///   - scores: (B, C, A) logits of the classes.
  public func callAsFunction(
    _ objective: YOLOv8, boxes: HeadBuffer<Float>, scores: HeadBuffer<Float>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) -> YOLOv8.Terms {
    try evaluate(objective, boxes, scores, truths)
  }

  public func callAsFunction(
    _ objective: YOLOv8, boxes: HeadBuffer<Double>, scores: HeadBuffer<Double>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) -> YOLOv8.Terms {
    try evaluate(objective, boxes, scores, truths)
  }

  /// The assignment alone; what it found is `decisions`.
  public func assign(
    _ objective: YOLOv8, boxes: HeadBuffer<Float>, scores: HeadBuffer<Float>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) {
    try match(objective, boxes, scores, truths)
  }

  public func assign(
    _ objective: YOLOv8, boxes: HeadBuffer<Double>, scores: HeadBuffer<Double>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) {
    try match(objective, boxes, scores, truths)
  }

  /// The first half of `assign` alone: the boxes that a truth may hold.
  public func decode(
    _ objective: YOLOv8, boxes: HeadBuffer<Float>, scores: HeadBuffer<Float>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) {
    try match(objective, boxes, scores, truths, decodesOnly: true)
  }

  public func decode(
    _ objective: YOLOv8, boxes: HeadBuffer<Double>, scores: HeadBuffer<Double>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) {
    try match(objective, boxes, scores, truths, decodesOnly: true)
  }

  /// The class term of the matching found last, and its gradient.
  public func classTerm(_ objective: YOLOv8, scores: HeadBuffer<Float>) -> Double {
    objective.classTerm(search, scores, objective.factor(search, images: scores.shape[0]))
  }

  public func classTerm(_ objective: YOLOv8, scores: HeadBuffer<Double>) -> Double {
    objective.classTerm(search, scores, objective.factor(search, images: scores.shape[0]))
  }

  /// The other two terms of the matching found last, and their gradient.
  public func boxTerms(
    _ objective: YOLOv8, boxes: HeadBuffer<Float>, _ grid: AnchorGrid
  ) -> (box: Double, distribution: Double) {
    objective.boxTerms(
      search, &bins, boxes, grid, objective.factor(search, images: boxes.shape[0]))
  }

  public func boxTerms(
    _ objective: YOLOv8, boxes: HeadBuffer<Double>, _ grid: AnchorGrid
  ) -> (box: Double, distribution: Double) {
    objective.boxTerms(
      search, &bins, boxes, grid, objective.factor(search, images: boxes.shape[0]))
  }

  /// The matching found last.
  public func decisions(images: Int) -> YOLOv8.Decisions {
    var decisions = YOLOv8.Decisions(repeating: [], count: images)
    for i in 0..<search.learnerCount {
      let learner = search.learners[i]
      decisions[learner.image].append(
        TaskAligned.Match(
          anchor: learner.anchor, truth: learner.truth, isCandidate: learner.isCandidate))
    }
    return decisions
  }

  // MARK: In either

  private func evaluate<Element: LaneElement>(
    _ objective: YOLOv8, _ boxes: HeadBuffer<Element>, _ scores: HeadBuffer<Element>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) -> YOLOv8.Terms {
    try match(objective, boxes, scores, truths)
    return objective.terms(search, &bins, boxes, scores, truths.grid)
  }

  private func match<Element: LaneElement>(
    _ objective: YOLOv8, _ boxes: HeadBuffer<Element>, _ scores: HeadBuffer<Element>,
    _ truths: YOLOv8.Truths, decodesOnly: Bool = false
  ) throws(InvalidInput) {
    try prepare(objective, boxes, scores, truths)
    let (images, anchors) = (boxes.shape[0], boxes.shape[2])
    let assigner = objective.assigner(truths.grid)
    for b in 0..<images {
      collect(b, objective, truths, assigner)
      let channels = boxes.values + b * boxes.shape[1] * anchors
      search.decode(channels, bins: boxes.shape[1] / 4, truths.grid, assigner)
      if decodesOnly { continue }
      search.match(
        image: b, scores.values + b * scores.shape[1] * anchors, truths.grid, assigner)
    }
  }

  private func prepare<Element: LaneElement>(
    _ objective: YOLOv8, _ boxes: HeadBuffer<Element>, _ scores: HeadBuffer<Element>,
    _ truths: YOLOv8.Truths
  ) throws(InvalidInput) {
    guard boxes.shape.count == 3, boxes.shape[1] > 0, boxes.shape[1] % 4 == 0,
      boxes.shape[2] == truths.grid.count
    else {
      throw InvalidInput(
        "boxes", given: "shape \(boxes.shape)", expected: "[B, 4 bins, \(truths.grid.count)]")
    }
    guard scores.shape.count == 3, scores.shape[0] == boxes.shape[0],
      scores.shape[2] == truths.grid.count
    else {
      throw InvalidInput(
        "scores", given: "shape \(scores.shape)",
        expected: "[\(boxes.shape[0]), C, \(truths.grid.count)]")
    }
    try objective.checkRows(truths, images: boxes.shape[0], classes: scores.shape[1])
    search.begin()
  }

  private func collect(
    _ image: Int, _ objective: YOLOv8, _ truths: YOLOv8.Truths, _ assigner: TaskAligned
  ) {
    search.beginImage()
    for i in 0..<truths.rows.count where truths.rows[i].image == image {
      let box = truths.rows[i].box(truths.grid)
      search.add(
        box, reach: assigner.enlarged(box), label: truths.rows[i].label,
        takesPart: objective.takesPart(box))
    }
  }
}

extension YOLOv8 {
  /// The terms by name.
  public struct Terms: Sendable, Equatable {
    public var box, classes, distribution: Double
  }
}

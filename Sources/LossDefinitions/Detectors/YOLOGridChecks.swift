extension GridLevel {
  /// The levels whose slots have the priors that the masks name.
  static func levels(
    _ strides: [Double], _ masks: [[Int]], _ priors: [PriorSize]
  ) -> [Self] {
    zip(strides, masks).map { stride, mask in
      Self(stride: stride, priors: mask.map { priors[$0] })
    }
  }

  /// Refuses masks that name no prior, and sizes and strides that are not above 0.
  static func check(
    _ strides: [Double], _ masks: [[Int]], _ priors: [PriorSize]
  ) throws(InvalidInput) {
    guard masks.count == strides.count else {
      throw InvalidInput(
        "masks", given: "\(masks.count) masks", expected: "\(strides.count), one a stride")
    }
    for (l, mask) in masks.enumerated() {
      for (i, prior) in mask.enumerated() where !priors.indices.contains(prior) {
        throw InvalidInput(
          "masks", level: l, index: i, given: "prior \(prior)", expected: "0 ..< \(priors.count)")
      }
    }
    for (l, stride) in strides.enumerated() where !(stride > 0 && stride.isFinite) {
      throw InvalidInput("strides", level: l, given: "\(stride)", expected: "a size above 0")
    }
    for (i, prior) in priors.enumerated() {
      for side in [prior.width, prior.height] where !(side > 0 && side.isFinite) {
        throw InvalidInput("priors", index: i, given: "\(side)", expected: "a size above 0")
      }
    }
  }
}

extension GridObjective {
  /// Refuses heads that do not fit each other or are not finite, and truths that are no boxes of one
  /// of their classes.
  func checkGrids(_ tensors: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard tensors.count == levels.count else {
      throw InvalidInput(
        "heads", given: "\(tensors.count) heads", expected: "\(levels.count), one a level")
    }
    for (l, head) in tensors.enumerated() {
      try head.check(heads[l], shape: [nil, nil, nil, nil])
      let slots = levels[l].priors.count
      let channels = head.shape[Self.isChannelsFirst ? 1 : 3]
      guard slots > 0, channels % slots == 0, channels / slots > 5 else {
        throw InvalidInput(
          heads[l], level: l, given: "\(channels) channels",
          expected: "\(slots) times 5 and the number of classes")
      }
      try head.checkFinite(heads[l], level: l)
    }
    guard let first = tensors.first.map({ grid(0, $0.shape) }) else { return }
    let size = imageSize(first, levels[0])
    for (l, head) in tensors.enumerated() {
      let grid = grid(l, head.shape)
      guard
        grid.images == first.images, grid.classes == first.classes,
        imageSize(grid, levels[l]) == size
      else {
        throw InvalidInput(
          heads[l], level: l, given: "shape \(head.shape)",
          expected: """
            \(first.images) images of \(size.width) x \(size.height) pixels and \(first.classes) \
            classes, as \(heads[0])
            """)
      }
    }
    guard truths.count == first.images else {
      throw InvalidInput(
        "truths", given: "truths of \(truths.count) images", expected: "\(first.images) images")
    }
    for (image, truths) in truths.enumerated() {
      try truths.check(image: image, classes: first.classes)
    }
  }

  /// Refuses truths without area, whose size has no logarithm, and truths centred outside the image,
  /// which lie in no cell.
  func checkCells(_ tensors: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard let first = tensors.first.map({ grid(0, $0.shape) }) else { return }
    let size = imageSize(first, levels[0])
    for (image, truths) in truths.enumerated() {
      for (i, truth) in truths.boxes.enumerated() {
        guard truth.width > 0, truth.height > 0 else {
          throw InvalidInput(
            "boxes", image: image, index: i, given: "size \(truth.width) x \(truth.height)",
            expected: "a width and a height above 0")
        }
        let box = centered(truth)
        guard box.cx >= 0, box.cy >= 0, box.cx < size.width, box.cy < size.height else {
          throw InvalidInput(
            "boxes", image: image, index: i, given: "centre \(box.cx), \(box.cy)",
            expected: "a centre inside the image, below \(size.width), \(size.height)")
        }
      }
    }
  }

  func imageSize(_ grid: Grid, _ level: GridLevel) -> PriorSize {
    PriorSize(Double(grid.columns) * level.stride, Double(grid.rows) * level.stride)
  }
}

// MARK: - Labels

extension GridObjective {
  /// Empty labels of each head.
  func unlabelled(_ heads: [GridHead<Double>]) -> [GridLabels] { heads.map { GridLabels($0.grid) } }

  /// The slot of a prior in the cell that holds a truth's centre.
  func cell(_ box: CenteredBox<Double>, _ prior: Int, image: Int, _ head: GridHead<Double>) -> Int {
    let (rows, columns) = (head.grid.rows, head.grid.columns)
    return head.grid.slot(
      image: image, row: Swift.min(rows - 1, Int(box.cy / head.level.stride)),
      column: Swift.min(columns - 1, Int(box.cx / head.level.stride)), prior: prior)
  }
}

extension [PriorSize] {
  /// The prior most like a box in size; the first of equals.
  func best(for size: PriorSize) -> Int {
    let overlaps = map { $0.overlap(size) }
    return overlaps.indices.reduce(0) { overlaps[$1] > overlaps[$0] ? $1 : $0 }
  }
}

extension RPN {
  public func check(_ heads: [Tensor], _ truths: Supervision) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    try sampler.check(BalancedSampling.Problem(labels: []))
    guard coder.weights.count == 4 else {
      throw InvalidInput("weights", given: "\(coder.weights.count) weights", expected: "4")
    }
    let (images, anchors) = truths.extents
    let isPair = classification == .softmax
    try heads[0].check("objectness", shape: [images, anchors] + (isPair ? [2] : []))
    try heads[1].check("deltas", shape: [images, anchors, 4])
    try heads[0].checkFinite("objectness")
    try heads[1].checkFinite("deltas")
    if case .probability = classification {
      for (i, p) in heads[0].data.enumerated() where !(0...1).contains(p) {
        throw InvalidInput(
          "objectness", image: i / anchors, index: i % anchors, given: "\(p)",
          expected: "a probability in [0, 1]")
      }
    }
    switch truths {
    case .targets(let labels, let deltas): try check(labels, deltas)
    case .boxes(let anchors, let images):
      for (a, anchor) in anchors.enumerated() { try check(anchor, "anchors", nil, a) }
      for (i, image) in images.enumerated() {
        for (g, box) in image.boxes.enumerated() { try check(box, "boxes", i, g) }
        for (c, box) in image.crowds.enumerated() {
          try box.check("crowds", image: i, index: c)
        }
      }
    }
  }

  /// Refuses boxes without area, too: deltas divide by an anchor's sides and take logarithms of ratios.
  private func check(
    _ box: Box<Double>, _ name: String, _ image: Int?, _ index: Int
  ) throws(InvalidInput) {
    try box.check(name, image: image, index: index)
    guard box.width > 0, box.height > 0 else {
      throw InvalidInput(
        name, image: image, index: index, given: "\(box.width) x \(box.height)",
        expected: "sides above 0")
    }
  }

  private func check(_ labels: [[Int]], _ deltas: Tensor) throws(InvalidInput) {
    let anchors = labels.first?.count ?? 0
    for (image, row) in labels.enumerated() {
      guard row.count == anchors else {
        throw InvalidInput(
          "labels", image: image, given: "\(row.count) labels", expected: "\(anchors)")
      }
      for (a, label) in row.enumerated() where !(-1...1).contains(label) {
        throw InvalidInput(
          "labels", image: image, index: a, given: "\(label)", expected: "1, 0 or −1")
      }
    }
    guard deltas.shape.count == 3, deltas.shape[0] == labels.count else {
      throw InvalidInput(
        "targets", given: "shape \(deltas.shape)",
        expected: "shape [\(labels.count), \(anchors), 4]")
    }
    try deltas.check("targets", shape: [labels.count, labels.isEmpty ? nil : anchors, 4])
    try deltas.checkFinite("targets")
  }
}

extension RPN.Supervision {
  /// Images and anchors.
  fileprivate var extents: (images: Int, anchors: Int) {
    switch self {
    case .boxes(let anchors, let images): (images.count, anchors.count)
    case .targets(let labels, let deltas):
      (labels.count, labels.first?.count ?? (deltas.shape.count == 3 ? deltas.shape[1] : 0))
    }
  }
}

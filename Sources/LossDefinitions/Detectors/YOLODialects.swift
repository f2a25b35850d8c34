extension Dialect {
  /// keras-yolo3's `yolo_loss`, targets by `preprocess_true_boxes`; the four values are its terms.
  static var kerasYOLO3: Dialect {
    Dialect(
      "keras-yolo3", "yolo_loss",
      """
      Commit e6598d1; the four terms that the function adds. `true_boxes` are corners and class in \
      pixels, rows without width last.
      """,
      inputs: ["yolo_outputs_0", "yolo_outputs_1", "yolo_outputs_2", "true_boxes"],
      parameters: [
        "anchors", "anchor_mask", "num_classes", "ignore_thresh", "input_shape", "strides",
      ]
    ) { call, evaluator in
      let objective = try YOLOv3(
        priors: call.priors("anchors"), masks: call.indices("anchor_mask"),
        strides: call.numberList("strides"),
        ignoreThreshold: call.number("ignore_thresh", default: 0.5))
      let boxes = try call.tensor("true_boxes")
      guard boxes.shape.count == 3, boxes.shape[2] == 5 else {
        throw Refusal.rejected(
          "\"true_boxes\" has shape \(boxes.shape); expected [images, boxes, 5]")
      }
      let truths = try (0..<boxes.shape[0]).map { image in
        let rows = (0..<boxes.shape[1]).map { t in (0..<5).map { boxes[image, t, $0] } }
        let last = rows.lastIndex { $0[2] > $0[0] }
        return try ImageTruths(rows: last.map { Array(rows[...$0]) } ?? [])
      }
      let scene = try Scene(objective.heads.map { try call.tensor($0) }, truths)
      let result = try evaluator.evaluate(objective, scene)
      try call.checkClasses("num_classes", objective, scene)
      let image = objective.gridHeads(scene.heads).first.map {
        objective.imageSize($0.grid, $0.level)
      }
      if let image {
        try call.expect("input_shape", .list([.number(image.height), .number(image.width)]))
      }
      // Each head alone is an objective too.
      let layers = try objective.heads.indices.map { l in
        var one = objective
        (one.masks, one.strides) = ([objective.masks[l]], [objective.strides[l]])
        return try evaluator.evaluate(one, Scene([scene.heads[l]], truths)).terms
      }
      var outputs = ["layer_terms": Tensor([layers.count, 4], layers.flatMap { $0 })]
      for (l, labels) in result.decisions.enumerated() {
        let grid = objective.grid(l, scene.heads[l].shape)
        let shape = [grid.images, grid.rows, grid.columns, grid.slots]
        outputs["ignore_mask_\(l)"] = Tensor(shape, labels.isOverlapping.map { $0 ? 0 : 1 })
        outputs["y_true_\(l)"] = labels.rows(grid) { positive in
          let box = objective.centered(truths[positive.image].boxes[positive.truth])
          let size = objective.imageSize(grid, objective.levels[l])
          return [
            box.cx / size.width, box.cy / size.height, box.w / size.width,
            box.h / size.height, 1,
          ] + (0..<grid.classes).map { positive.classes.contains($0) ? 1 : 0 }
        }
      }
      return Answer(objective, result, outputs: outputs)
    }
  }

  /// One of darknet's layers; the values are the objective whose gradient is minus its delta.
  static var darknetYOLOLayer: Dialect {
    Dialect(
      "darknet", "yolo_layer",
      """
      Commit f6afaab, one layer. `truth` is centre and size in parts of the image, class, up to the \
      first row with x = 0; the gradient is minus the layer's `delta`, the printed number `cost`.
      """,
      inputs: ["input", "truth"],
      parameters: ["anchors", "mask", "classes", "ignore_thresh", "truth_thresh", "net_size"]
    ) { call, evaluator in
      try call.expect("truth_thresh", .number(1))
      let input = try call.tensor("input")
      let size = try call.numberList("net_size")
      guard input.shape.count == 4, size.count == 2, input.shape[2] > 0,
        size[0] / Double(input.shape[2]) == size[1] / Double(input.shape[3])
      else {
        throw Refusal.rejected("\"input\" has shape \(input.shape); \"net_size\" is \(size)")
      }
      let mask = try call.numberList("mask").map { try Call.index($0, "mask") }
      let objective = try Darknet(
        priors: call.priors("anchors"), masks: [mask], strides: [size[0] / Double(input.shape[2])],
        ignoreThreshold: call.number("ignore_thresh", default: 0.7))
      let given = try call.tensor("truth")
      guard given.shape.count == 3, given.shape[2] == 5 else {
        throw Refusal.rejected("\"truth\" has shape \(given.shape); expected [images, boxes, 5]")
      }
      let truths = try (0..<given.shape[0]).map { image in
        let rows = (0..<given.shape[1]).map { t in (0..<5).map { given[image, t, $0] } }
        return try ImageTruths(
          rows: rows.prefix { $0[0] != 0 }.map { row in
            let (x, y, w, h) = (
              row[0] * size[1], row[1] * size[0], row[2] * size[1], row[3] * size[0]
            )
            return [x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h, row[4]]
          })
      }
      let scene = Scene([input], truths)
      let result = try evaluator.evaluate(objective, scene)
      try call.checkClasses("classes", objective, scene)
      let grid = objective.grid(0, input.shape)
      let labels = result.decisions[0]
      var objectness = Tensor(zeros: [grid.images, grid.slots, grid.rows, grid.columns])
      for slot in 0..<grid.count {
        let at = grid.place(slot)
        objectness.data[objectness.index(at.image, at.prior, at.row, at.column)] =
          labels.owner[slot] >= 0 ? 1 : labels.isOverlapping[slot] ? -1 : 0
      }
      return Answer(
        objective, result,
        outputs: [
          "cost": Tensor([], [objective.cost(result.gradients[0])]), "objectness": objectness,
        ])
    }
  }

  /// tensorflow-yolov3's `compute_loss`, targets by `preprocess_true_boxes`.
  static var tensorflowYOLOv3: Dialect {
    Dialect(
      "tensorflow-yolov3", "compute_loss",
      """
      Commit 03cb272; the raw maps before `decode`. `bboxes` are corners in whole pixels and class, \
      `batch_idx` the image of each.
      """,
      inputs: ["conv_sbbox", "conv_mbbox", "conv_lbbox", "batch_idx", "bboxes"],
      parameters: [
        "input_size", "strides", "anchors", "num_classes", "iou_loss_thresh", "positive_iou",
        "label_smoothing", "max_bbox_per_scale",
      ]
    ) { call, evaluator in
      var objective = YOLOv3GIoU()
      objective.anchors = try call.priorLists("anchors")
      objective.strides = try call.numberList("strides")
      objective.ignoreThreshold = try call.number("iou_loss_thresh", default: 0.5)
      objective.positiveThreshold = try call.number("positive_iou", default: 0.3)
      objective.labelSmoothing = try call.number("label_smoothing", default: 0.01)
      objective.ringSize = try call.integer("max_bbox_per_scale", default: 150)
      guard objective.strides.count == 3 else {
        throw Refusal.rejected("parameter \"strides\" must have three entries")
      }
      let heads = try objective.heads.map { try call.tensor($0) }
      let boxes = try call.tensor("bboxes")
      let images = try call.tensor("batch_idx", like: [boxes.shape.first ?? 0])
      guard boxes.shape.count == 2, boxes.shape[1] == 5 else {
        throw Refusal.rejected("\"bboxes\" has shape \(boxes.shape); expected [boxes, 5]")
      }
      let count = heads[0].shape.first ?? 0
      let truths = try (0..<count).map { image in
        try ImageTruths(
          rows: images.data.indices.filter { images[$0] == Double(image) }.map { row in
            (0..<5).map { boxes[row, $0] }
          })
      }
      if let stray = images.data.first(where: { !(0..<count).contains(Int(exactly: $0) ?? -1) }) {
        throw Refusal.rejected("\"batch_idx\" holds \(stray); expected 0 ..< \(count)")
      }
      let scene = Scene(heads, truths)
      let result = try evaluator.evaluate(objective, scene)
      try call.checkClasses("num_classes", objective, scene)
      var outputs: [String: Tensor] = [:]
      for (l, labels) in result.decisions.enumerated() {
        let grid = objective.grid(l, heads[l].shape)
        if l == 0 {
          let size = objective.imageSize(grid, objective.levels[l])
          guard size.width == size.height else {
            throw Refusal.rejected(
              "heads of \(size.width) x \(size.height) pixels; expected a square")
          }
          try call.expect("input_size", .number(size.width))
        }
        let letter = ["s", "m", "l"][l]
        outputs["label_\(letter)bbox"] = labels.rows(grid) { positive in
          let box = objective.centered(truths[positive.image].boxes[positive.truth])
          return [box.cx, box.cy, box.w, box.h, 1]
            + (0..<grid.classes).map { objective.probability($0, positive, grid.classes) }
        }
        var ring = Tensor(zeros: [count, objective.ringSize, 4])
        for (image, kept) in labels.compared.enumerated() {
          for (place, i) in kept.enumerated() {
            let box = objective.centered(truths[image].boxes[i])
            for (k, number) in [box.cx, box.cy, box.w, box.h].enumerated() {
              ring.data[ring.index(image, place, k)] = number
            }
          }
        }
        outputs["true_\(letter)bboxes"] = ring
      }
      return Answer(objective, result, outputs: outputs)
    }
  }
}

extension GridLabels {
  /// The framework's dense labels: a row for each slot, zeros where no truth owns it.
  fileprivate func rows(_ grid: Grid, of row: (Positive) -> [Double]) -> Tensor {
    var dense = Tensor(zeros: [grid.images, grid.rows, grid.columns, grid.slots, grid.entries])
    for positive in positives {
      for (k, number) in row(positive).enumerated() {
        dense.data[positive.slot * grid.entries + k] = number
      }
    }
    return dense
  }
}

extension ImageTruths {
  /// Rows of four corners and a class.
  fileprivate init(rows: [[Double]]) throws {
    self.init(
      rows.map { Box(x1: $0[0], y1: $0[1], x2: $0[2], y2: $0[3]) },
      labels: try rows.map { try Call.index($0[4], "class") })
  }
}

extension Answer {
  /// An objective's terms, and its gradients under the heads' names.
  fileprivate init<O: GridObjective>(
    _ objective: O, _ result: ObjectiveResult<O>, outputs: [String: Tensor]
  ) {
    self.init(
      Tensor([result.terms.count], result.terms),
      gradients: Dictionary(uniqueKeysWithValues: zip(objective.heads, result.gradients)),
      outputs: outputs)
  }
}

extension Call {
  fileprivate static func index(_ number: Double, _ name: String) throws -> Int {
    guard let index = Int(exactly: number) else {
      throw Refusal.rejected("\"\(name)\" holds \(number), which is no index")
    }
    return index
  }

  fileprivate func numberList(_ name: String) throws -> [Double] {
    try Self.numbers(parameters[name] ?? .null, name)
  }

  fileprivate func indices(_ name: String) throws -> [[Int]] {
    try Self.list(parameters[name] ?? .null, name).map { row in
      try Self.numbers(row, name).map { try Self.index($0, name) }
    }
  }

  fileprivate func priors(_ name: String) throws -> [PriorSize] {
    try Self.priors(parameters[name] ?? .null, name)
  }

  fileprivate func priorLists(_ name: String) throws -> [[PriorSize]] {
    try Self.list(parameters[name] ?? .null, name).map { try Self.priors($0, name) }
  }

  private static func list(_ parameter: Parameter, _ name: String) throws -> [Parameter] {
    guard case .list(let entries) = parameter else {
      throw Refusal.rejected("parameter \"\(name)\" must be a list")
    }
    return entries
  }

  private static func numbers(_ parameter: Parameter, _ name: String) throws -> [Double] {
    try list(parameter, name).map { entry in
      guard case .number(let number) = entry else {
        throw Refusal.rejected("parameter \"\(name)\" must hold numbers")
      }
      return number
    }
  }

  private static func priors(_ parameter: Parameter, _ name: String) throws -> [PriorSize] {
    try list(parameter, name).map { row in
      let sides = try numbers(row, name)
      guard sides.count == 2 else {
        throw Refusal.rejected("parameter \"\(name)\" must hold pairs of width and height")
      }
      return PriorSize(sides[0], sides[1])
    }
  }

  /// The framework is told the number of classes that the heads have.
  fileprivate func checkClasses<O: GridObjective>(
    _ name: String, _ objective: O, _ scene: Scene<[ImageTruths]>
  ) throws {
    guard let head = objective.gridHeads(scene.heads).first else { return }
    try expect(name, .number(Double(head.grid.classes)))
  }
}

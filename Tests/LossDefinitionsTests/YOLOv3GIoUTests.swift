import LossDefinitions
import Testing

@Suite struct YOLOv3GIoUTests {
  @Test func worked() throws {
    try GridExample.expect(
      YOLOv3GIoU.self, terms: [14.219553248318, 20.389341953480, 18.982773172948],
      total: 53.591668374745,
      gradients: [
        (27.969088559691, 19.359753675329), (12.202082954874, 3.636065727213),
        (8.125567129114, -0.279241506957),
      ])
  }

  /// Each scale's own terms: those of the other scales' slots taken away.
  @Test func scales() throws {
    let worked = try GridExample.scene(YOLOv3GIoU.self)
    let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    let expected = [
      [4.299664242445, 17.321431622834, 5.203747334138],
      [6.168368822314, 2.682730741634, 8.071265884746],
      [3.751520183558, 0.385179589012, 5.707759954064],
    ]
    for scale in 0..<3 {
      var one = worked.objective
      (one.strides, one.anchors) = ([one.strides[scale]], [one.anchors[scale]])
      let terms: [Double] = one.reference(
        [worked.scene.heads[scale]], worked.scene.truths, [labels[scale]])
      GridExample.expectClose(terms, expected[scale], 1e-9)
    }
  }

  @Test func labels() throws {
    let worked = try GridExample.scene(YOLOv3GIoU.self)
    let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    #expect(labels.map { $0.positives.map(\.slot) } == [[31, 32, 0], [9, 10, 11, 1], [0, 1, 2]])
    #expect(labels.map { $0.positives.map(\.truth) } == [[0, 0, 1], [0, 0, 0, 1], [0, 0, 0]])
    #expect(labels.map(\.compared) == [[[0, 1]], [[0, 1]], [[0]]])
    // Row 1, column 0, prior 2; it is the truth's own.
    let overlapping = labels.map { scale in
      scale.isOverlapping.indices.filter { scale.isOverlapping[$0] }
    }
    #expect(overlapping == [[], [8], []])
  }

  /// No prediction's largest IoU with the ring is nearer to 0.5 than this.
  @Test func margin() throws {
    let worked = try GridExample.scene(YOLOv3GIoU.self)
    let (objective, scene) = (worked.objective, worked.scene)
    let labels = objective.decide(scene.heads, scene.truths)
    var margin = Double.infinity
    for (head, labels) in zip(objective.gridHeads(scene.heads), labels) {
      for slot in 0..<head.grid.count {
        for i in labels.compared[0] {
          let overlap = head.box(slot).iou(objective.centered(scene.truths[0].boxes[i]))
          margin = Swift.min(margin, (overlap - 0.5).magnitude)
        }
      }
    }
    GridExample.expectClose([margin], [0.023656836708])
  }

  /// A truth in the last corner that no prior is like: the released rule puts it into cell (0, 0).
  @Test func fallbackCell() throws {
    for (name, slot) in [("fallback", 0), ("fallback in its own scale", 45)] {
      let worked = try GridExample.scene(YOLOv3GIoU.self, name)
      let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
      #expect(labels.map { $0.positives.map(\.slot) } == [[slot], [], []])
    }
    try GridExample.expect(
      YOLOv3GIoU.self, "fallback", terms: [3.764891318841, 22.077186385716, 2.453051926107],
      total: 28.295129630664,
      gradients: [(20.683166881878, nil), (5.230709937064, nil), (1.823657903251, nil)])
    try GridExample.expect(
      YOLOv3GIoU.self, "fallback in its own scale",
      terms: [1.971649909493, 22.523728533418, 2.034996753466], total: 26.530375196377,
      gradients: [(20.807893516114, nil), (5.230709937064, nil), (1.823657903251, nil)])
  }

  @Test func predictions() throws {
    let worked = try GridExample.scene(YOLOv3GIoU.self)
    let decoded = worked.objective.predictions(worked.scene.heads)
    #expect(decoded.map(\.shape) == [[1, 4, 4, 3, 8], [1, 2, 2, 3, 8], [1, 1, 1, 3, 8]])
    // Row 1, column 0, prior 2 of the middle scale: raw 3.2, −1.9, −0.15, −0.1, 0.4.
    let first = decoded[1].data[(8 * 8)..<(8 * 8 + 5)]
    GridExample.expectClose(
      Array(first),
      [
        16 / (1 + .exp(-3.2)), 16 * (1 + 1 / (1 + .exp(1.9))), .exp(-0.15) * 28, .exp(-0.1) * 25.6,
        1 / (1 + .exp(-0.4)),
      ])
  }

  /// The ring holds the last truths; the first are overwritten.
  @Test func fullRing() throws {
    let worked = try GridExample.scene(YOLOv3GIoU.self)
    var objective = worked.objective
    objective.ringSize = 1
    let labels = objective.decide(worked.scene.heads, worked.scene.truths)
    #expect(labels.map(\.compared) == [[[1]], [[1]], [[0]]])
  }

  /// Believed and false: 1 − GIoU of a box with itself is 0.
  @Test func smallBoxesCostThemselves() {
    let box = Box(x1: 0, y1: 0, x2: 0.01, y2: 0.01)
    GridExample.expectClose([GIoU(epsilon: 1e-6).reference(box, box)], [0.009900990099])
  }

  /// Believed and false: the focal factor is a constant weight. With it constant the slope of a
  /// positive at 0 would be −1/8.
  @Test func focalFactorIsDifferentiated() throws {
    let objective = YOLOv3GIoU(anchors: YOLOv3GIoU.small)
    let heads = [4, 2, 1].map { Tensor(zeros: [1, $0, $0, 18]) }
    let truth = ImageTruths([Box(x1: 4, y1: 6, x2: 28, y2: 30)], labels: [0])
    let result = try ReferenceEvaluator().evaluate(objective, Scene(heads, [truth]))
    let grid = objective.grid(2, heads[2].shape)
    let slope = result.gradients[2].data[grid.offset(0, 4)]
    GridExample.expectClose([slope], [-0.125 - 0.25 * Double.log(2)])
    GridExample.expectClose([slope], [-0.298286795140])
  }

  /// Truths without area cost a finite number, and centres outside are moved to the last cell.
  @Test func awkwardTruths() throws {
    let objective = try GridExample.scene(YOLOv3GIoU.self).objective
    let truths = ImageTruths(
      [Box(x1: 10, y1: 10, x2: 10, y2: 20), Box(x1: 30, y1: 40, x2: 50, y2: 60)], labels: [0, 1])
    let scene = try GridExample.with(YOLOv3GIoU.self, truths)
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Float>()] as [any Evaluator] {
      let result = try evaluator.evaluate(objective, scene)
      #expect(result.terms.allSatisfy { $0.isFinite })
      #expect(result.gradients.allSatisfy { $0.data.allSatisfy { $0.isFinite } })
    }
  }

  @Test func refusalsAndEmpty() throws {
    try GridExample.expectCommonRefusals(YOLOv3GIoU.self)
    try GridExample.expectEmpty(YOLOv3GIoU.self, silent: [0, 2])
    var objective = YOLOv3GIoU(anchors: YOLOv3GIoU.small)
    objective.ringSize = 0
    try GridExample.expectRefusal(
      objective, GridExample.scene(YOLOv3GIoU.self).scene,
      InvalidInput("ringSize", given: "0", expected: "at least 1"))
  }
}

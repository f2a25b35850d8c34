import LossDefinitions
import Testing

@Suite struct YOLOv8Tests {
  private static func worked(_ name: String) throws -> WorkedScene<YOLOv8> {
    try #require(YOLOv8.worked.first { $0.name == name })
  }

  @Test func workedScenes() throws {
    try expectWorked(
      YOLOv8.self, "tiny, before 8.4.0",
      terms: [3.417942690118, 3.036056428020, 1.375924442891],
      absolute: [6.280909260482, 1.689455828532], sums: [0, 1.689455828532])
    try expectWorked(
      YOLOv8.self, "tiny", terms: [3.410879486431, 3.046305066471, 1.376363605106],
      absolute: [6.288488567822, 1.695986262959], sums: [0, 1.695986262959])
    try expectWorked(
      YOLOv8.self, "batch",
      terms: [2 * 3.630390160273, 2 * 10.332682449514, 2 * 1.762280254460],
      absolute: [9.852186989659, 12.070113512915], sums: [0, 11.841281315303])
  }

  @Test func withoutTruthsTheClassTermRemains() throws {
    let worked = try Self.worked("without truths")
    let result = try ReferenceEvaluator().evaluate(worked.objective, worked.scene)
    expectClose(result.terms, [0, 5.766683431894, 0])
  }

  @Test func assignmentStepByStep() throws {
    let worked = try Self.worked("tiny, before 8.4.0")
    let (objective, scene) = (worked.objective, worked.scene)
    let problem = objective.problem(0, scene.heads, scene.truths)
    let trace = objective.assigner(scene.truths.grid).trace(problem)
    expectClose(
      trace.overlaps[0],
      [0.614628097046, 0.434486292760, 0.558486252500, 0.383317465066, 0.324839925009])
    expectClose(trace.overlaps[1], [0, 0.485639843738, 0, 0.463491222727, 0.228530723572])
    expectClose(
      trace.metrics[0], [0.0425333852, 0.0041979047, 0.0267527985, 0.0024042240, 0.0006881084],
      within: 1e-10)
    expectClose(trace.metrics[1], [0, 0.0112166186, 0, 0.0053301072, 0.0001183271], within: 1e-10)
    #expect(trace.matching.picks == [[0, 1, 2], [1, 3, 4]])
    #expect(
      trace.matching.conflicts == [TaskAligned.Conflict(anchor: 1, pickers: [0, 1], owner: 1)])
    #expect(trace.matching.matches.map(\.truth) == [0, 1, 0, 1, 1])
    expectClose(
      trace.matching.weights,
      [0.614628082596, 0.485639800442, 0.386590937015, 0.230774736942, 0.005123142092])
  }

  /// The workspace decides as `decide` does, and its terms are the reference's.
  @Test(arguments: YOLOv8.strata)
  func workspace(_ stratum: String) throws {
    let workspace = YOLOv8Workspace()
    for configuration in YOLOv8.configurations {
      var random = SplitMix(seed: 5, stratum)
      for _ in 0..<4 {
        let (objective, scene) = (
          configuration.loss, configuration.loss.sample(stratum, using: &random)
        )
        let truth = try ReferenceEvaluator().evaluate(objective, scene)
        let values = scene.heads.map { $0.map { Float($0) } }
        var (boxes, scores) = (values[0], values[1])
        let terms = try values[0].data.withUnsafeBufferPointer { x in
          try values[1].data.withUnsafeBufferPointer { z in
            try boxes.data.withUnsafeMutableBufferPointer { dx in
              try scores.data.withUnsafeMutableBufferPointer { dz in
                try workspace(
                  objective,
                  boxes: HeadBuffer(
                    shape: values[0].shape, values: #require(x.baseAddress),
                    gradient: #require(dx.baseAddress)),
                  scores: HeadBuffer(
                    shape: values[1].shape, values: #require(z.baseAddress),
                    gradient: #require(dz.baseAddress)), scene.truths)
              }
            }
          }
        }
        #expect(workspace.decisions(images: values[0].shape[0]) == truth.decisions)
        expectClose([terms.box, terms.classes, terms.distribution], truth.terms, within: 2e-6)
        expectClose(boxes.data.map { Double($0) }, truth.gradients[0].data, within: 2e-6)
        expectClose(scores.data.map { Double($0) }, truth.gradients[1].data, within: 2e-6)
      }
    }
  }

  @Test func refusals() throws {
    let worked = try Self.worked("tiny")
    let (objective, scene) = (worked.objective, worked.scene)
    var truths = scene.truths
    truths.rows[1].label = 3
    expectRefusal(objective, scene.heads, truths, "rows", image: 0, index: 1)
    truths = scene.truths
    truths.rows[0].image = 1
    expectRefusal(objective, scene.heads, truths, "rows", index: 0)
    truths = scene.truths
    truths.rows[0].width = -0.5
    expectRefusal(objective, scene.heads, truths, "rows", image: 0, index: 0)
    var heads = scene.heads
    heads[1].data[4] = .nan
    expectRefusal(objective, heads, scene.truths, "scores", image: 0, index: 4)
    expectRefusal(YOLOv8(), scene.heads, scene.truths, "topk")
    expectRefusal(objective, [scene.heads[0]], scene.truths, "heads")
  }

  // MARK: Believed and false

  /// A batch's total is no sum of its images' totals: T is shared.
  @Test func batchIsNoSum() throws {
    let worked = try Self.worked("batch")
    let (objective, scene) = (worked.objective, worked.scene)
    let singles = try (0..<2).map { image in
      var alone = Scene(scene.heads.map { $0.image(image) }, scene.truths)
      alone.truths.rows = scene.truths.rows.filter { $0.image == image }.map {
        var row = $0
        row.image = 0
        return row
      }
      return try ReferenceEvaluator().evaluate(objective, alone).terms.reduce(0, +)
    }
    expectClose([singles.reduce(0, +)], [32.87386968018714])
    let whole = try ReferenceEvaluator().evaluate(objective, scene).terms.reduce(0, +)
    expectClose([whole], [31.450705728492878])
  }

  /// A row whose corners sum to no more than 0 takes no part, whatever its area.
  @Test func coordinateSum() throws {
    let scene = try Self.worked("tiny").scene
    var truths = scene.truths
    truths.rows = [
      YOLOv8.Row(image: 0, label: 0, x: 0.05, y: 0.05, width: 1, height: 1),
      YOLOv8.Row(image: 0, label: 0, x: -0.05, y: -0.05, width: 1, height: 1),
    ]
    var objective = YOLOv8()
    objective.topk = 3
    #expect(objective.image(0, truths).present == [true, false])
    objective.validity = .presence
    #expect(objective.image(0, truths).present == [true, true])
  }

  /// CIoU(b, b) is below 1: its loss at a perfect box is (2w + 1) ε / (w h + (2w + 1) ε).
  @Test func perfectBoxIsNotFree() {
    let loss = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)
    let (w, h, ε) = (2.0, 3.0, 1e-7)
    let box = Box(x1: 0, y1: 0, x2: w, y2: h)
    let want = (2 * w + 1) * ε / (w * h + (2 * w + 1) * ε)
    #expect((loss.reference(box, box) - want).magnitude < 1e-15)
  }

  /// A metric of 0 may be picked: anchors inside fill the ranks up.
  @Test func zeroMetricIsPicked() {
    let grid = AnchorGrid([(2, 2)], strides: [8])
    let far = Box(x1: 100.0, y1: 100, x2: 101, y2: 101)
    let problem = TaskAligned.Problem(
      points: grid.points, boxes: Array(repeating: far, count: 4),
      scores: Array(repeating: [0.5], count: 4),
      truths: ImageTruths([Box(x1: 0, y1: 0, x2: 16, y2: 16)], labels: [0]), grid: grid)
    let matching = TaskAligned(topk: 3).reference(problem)
    #expect(matching.picks == [[0, 1, 2]])
    #expect(matching.weights == [0, 0, 0])
    #expect(TaskAligned(topk: 3).optimized(problem) == matching)
  }
}

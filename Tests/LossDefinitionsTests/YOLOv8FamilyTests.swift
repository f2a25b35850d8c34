import LossDefinitions
import Testing

/// The worked scenes of YOLOv8's segmentation, pose and oriented boxes: numbers that an independent
/// program found, printed to twelve digits.
@Suite struct YOLOv8FamilyTests {
  /// Terms, then Σ|g| and Σ g of the heads that the chapters state.
  struct Expected {
    var terms: [Double]
    var sizes: [String: Double] = [:]
    var sums: [String: Double] = [:]
  }

  static let segmentation: [String: Expected] = [
    "classic": Expected(
      terms: [3.417942690118, 6.050047905104, 3.036056428020, 1.375924442891],
      sizes: ["mask_coefficient": 1.965359901069, "proto": 2.770974207021],
      sums: ["mask_coefficient": -0.029487780233, "proto": 0.020161618864]),
    "classic_rounded": Expected(
      terms: [3.417942690118, 7.186276181507, 3.036056428020, 1.375924442891],
      sizes: ["mask_coefficient": 2.284418467481, "proto": 3.707394235256],
      sums: ["mask_coefficient": 0.077742827112, "proto": -0.123724330896]),
    "current": Expected(
      terms: [3.410879486431, 5.817330744845, 3.046305066471, 1.376363605106],
      sizes: ["mask_coefficient": 1.723943707009, "proto": 4.978413670745],
      sums: ["mask_coefficient": -0.028412240485, "proto": -0.100750017015]),
    "current_rounded": Expected(
      terms: [3.410879486431, 6.759163709147, 3.046305066471, 1.376363605106],
      sizes: ["mask_coefficient": 1.835052020126, "proto": 5.895096906441],
      sums: ["mask_coefficient": 0.073096796888, "proto": -0.253198647817]),
  ]

  static let pose: [String: Expected] = [
    "classic": Expected(
      terms: [3.417942690118, 6.711680691925, 0.844276200377, 3.036056428020, 1.375924442891],
      sizes: ["kpts": 14.567532280917, "boxes": 6.280909260482, "scores": 1.689455828532],
      sums: ["kpts": 0.597925433471, "scores": 1.689455828532]),
    "current": Expected(
      terms: [3.410879486431, 5.617999519063, 0.814920850182, 3.046305066471, 1.376363605106],
      sizes: ["kpts": 14.860536171199, "boxes": 6.288488567822, "scores": 1.695986262959],
      sums: ["kpts": 1.014248063426, "scores": 1.695986262959]),
  ]

  static let oriented: [String: Expected] = [
    "classic": Expected(terms: [2.366162704848, 2.802299426991, 1.382943948109]),
    "current": Expected(
      terms: [2.282974107626, 2.802299426991, 1.366940950398, 0.108017826825],
      sizes: ["boxes": 3.530410375588, "angle": 1.018616954505],
      sums: ["boxes": 0, "angle": -0.636458120018]),
  ]

  @Test func workedScenes() throws {
    try check(YOLOv8Segmentation.self, Self.segmentation)
    try check(YOLOv8Pose.self, Self.pose)
    try check(YOLOv8OBB.self, Self.oriented)
  }

  private func check<O: Objective>(_: O.Type, _ expected: [String: Expected]) throws {
    #expect(Set(O.worked.map(\.name)) == Set(expected.keys))
    for worked in O.worked {
      let want = try #require(expected[worked.name])
      let evaluators: [(any Evaluator, Double)] = [
        (ReferenceEvaluator(), 1e-11), (KernelEvaluator<Double>(), 1e-11),
        (KernelEvaluator<Float>(), 2e-6),
      ]
      for (evaluator, tolerance) in evaluators {
        let result = try evaluator.evaluate(worked.objective, worked.scene)
        for (got, term) in zip(result.terms, want.terms) {
          #expect(abs(got - term) <= tolerance * abs(term), "\(O.name), \(worked.name)")
        }
        #expect(result.terms.count == want.terms.count)
        for (name, gradient) in zip(worked.objective.heads, result.gradients) {
          let size = gradient.data.reduce(0) { $0 + abs($1) }
          let sum = gradient.data.reduce(0, +)
          if let wanted = want.sizes[name] {
            #expect(abs(size - wanted) <= tolerance * size, "\(O.name), \(worked.name), \(name)")
          }
          if let wanted = want.sums[name] {
            #expect(abs(sum - wanted) <= tolerance * size, "\(O.name), \(worked.name), \(name)")
          }
        }
      }
    }
  }

  @Test func orientedAssignmentStepByStep() throws {
    let worked = try #require(YOLOv8OBB.worked.first { $0.name == "current" })
    let trace = worked.objective.trace(0, worked.scene.heads, worked.scene.truths)
    #expect(trace.candidates.allSatisfy { $0.allSatisfy { $0 } })
    #expect(trace.matching.picks == [[0, 1, 2], [1, 2, 3]])
    #expect(trace.matching.matches.map(\.anchor) == [0, 1, 2, 3])
    #expect(trace.matching.matches.map(\.truth) == [0, 0, 0, 1])
    let overlaps = [0.7625781955953808, 0.658179167400931, 0.6724775919476205]
    for (got, want) in zip(trace.overlaps[0], overlaps) { #expect(abs(got - want) < 1e-11) }
    let metrics = [0.15515357641146182, 0.050727199343740724, 0.0815382150605618]
    for (got, want) in zip(trace.metrics[0], metrics) { #expect(abs(got - want) < 1e-11) }
    let weights = [
      0.7625781906803913, 0.24932364943522908, 0.40075946652557093, 0.6049238682406226,
    ]
    for (got, want) in zip(trace.matching.weights, weights) { #expect(abs(got - want) < 1e-11) }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    func refusal<O: Objective>(
      _ worked: WorkedScene<O>, _ change: (inout O, inout Scene<O.Truths>) -> Void
    ) -> InvalidInput? {
      var (objective, scene) = (worked.objective, worked.scene)
      change(&objective, &scene)
      do {
        try objective.check(scene.heads, scene.truths)
        return nil
      } catch { return error }
    }
    let mask = YOLOv8Segmentation.worked[0]
    let pose = YOLOv8Pose.worked[0]
    let oriented = YOLOv8OBB.worked[0]
    #expect(refusal(mask) { $1.heads[3].data[5] = .nan }?.argument == "proto")
    #expect(refusal(mask) { $1.heads[2].shape = [1, 5, 2] }?.argument == "mask_coefficient")
    #expect(
      refusal(mask) { $1.truths.masks = .separate(Tensor(zeros: [3, 8, 8])) }?.argument == "masks")
    #expect(refusal(mask) { $1.truths.detection.rows[0].label = 3 }?.argument == "rows")
    #expect(
      refusal(pose) { objective, _ in objective.sigmas = [0.1, 0, 0.1] }?.argument == "sigmas")
    #expect(refusal(pose) { $1.truths.keypoints = Tensor(zeros: [2, 4, 3]) }?.argument == "kpts")
    #expect(
      refusal(pose) { $1.truths.keypoints = Tensor(zeros: [1, 3, 3]) }?.argument == "keypoints")
    #expect(refusal(oriented) { $1.truths.rows[1].box.θ = .infinity }?.argument == "rows")
    #expect(refusal(oriented) { $1.truths.rows[1].box.w = -0.25 }?.argument == "rows")
    #expect(refusal(oriented) { $1.heads[2].data[0] = .nan }?.argument == "angle")
    #expect(refusal(oriented) { _, _ in } == nil)
  }

  /// A box under its other name: the same to ProbIoU and to the angle term, not to the distributions.
  @Test func aBoxHasTwoNames() throws {
    let worked = try #require(YOLOv8OBB.worked.first { $0.name == "current" })
    var renamed = worked.scene
    for i in renamed.truths.rows.indices {
      var box = worked.scene.truths.rows[i].box
      (box.w, box.h) = (box.h, box.w)
      box.θ += .pi / 2
      renamed.truths.rows[i].box = box
    }
    let here = try ReferenceEvaluator().evaluate(worked.objective, worked.scene).terms
    let there = try ReferenceEvaluator().evaluate(worked.objective, renamed).terms
    for k in [0, 1, 3] { #expect(abs(here[k] - there[k]) < 1e-12) }
    #expect(abs(here[2] - there[2]) > 0.1)
  }

  /// A truth that shows no keypoint contributes nothing and is counted.
  @Test func hiddenTruthsLowerThePoseTerm() throws {
    let worked = try #require(YOLOv8Pose.worked.first)
    var hidden = worked.scene
    for k in 0..<3 { hidden.truths.keypoints.data[9 + 3 * k + 2] = 0 }
    let here = try ReferenceEvaluator().evaluate(worked.objective, worked.scene).terms
    let there = try ReferenceEvaluator().evaluate(worked.objective, hidden).terms
    #expect(there[1] < here[1] && there[1] > 0)
  }
}

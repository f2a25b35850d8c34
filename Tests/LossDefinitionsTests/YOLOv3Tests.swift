import LossDefinitions
import Testing

/// The numbers printed in the chapters, against the reference and both optimized versions.
enum GridExample {
  static func scene<O: Objective>(_: O.Type, _ name: String = "worked") throws -> WorkedScene<O> {
    try #require(O.worked.first { $0.name == name })
  }

  /// - Parameter gradients: Σ|g| and, where given, Σ g of each head.
  static func expect<O: GridObjective>(
    _: O.Type, _ name: String = "worked", terms: [Double], total: Double,
    gradients: [(size: Double, sum: Double?)]
  ) throws {
    let worked = try scene(O.self, name)
    let evaluators: [(any Evaluator, Double)] = [
      (ReferenceEvaluator(), 1e-11), (KernelEvaluator<Double>(), 1e-11),
      (KernelEvaluator<Float>(), 1e-6),
    ]
    for (evaluator, tolerance) in evaluators {
      let result = try evaluator.evaluate(worked.objective, worked.scene)
      expectClose(result.terms, terms, tolerance)
      expectClose([result.terms.reduce(0, +)], [total], tolerance)
      #expect(result.gradients.count == gradients.count)
      for (gradient, want) in zip(result.gradients, gradients) {
        expectClose([gradient.data.map(\.magnitude).reduce(0, +)], [want.size], tolerance)
        let sum = gradient.data.reduce(0, +)
        if let want = want.sum { #expect((sum - want).magnitude < 20 * tolerance, "\(sum)") }
      }
    }
  }

  static func expectClose(_ got: [Double], _ want: [Double], _ tolerance: Double = 1e-11) {
    #expect(got.count == want.count)
    for (g, w) in zip(got, want) {
      #expect((g - w).magnitude <= tolerance * Swift.max(1, w.magnitude), "\(g), not \(w)")
    }
  }

  /// The worked scene with other truths of its first image.
  static func with<O: GridObjective>(_: O.Type, _ truths: ImageTruths) throws -> Scene<
    [ImageTruths]
  > {
    var changed = try scene(O.self).scene
    changed.truths[0] = truths
    return changed
  }

  /// Every evaluator refuses the scene, and names the argument and the place.
  static func expectRefusal<O: GridObjective>(
    _ objective: O, _ scene: Scene<[ImageTruths]>, _ want: InvalidInput
  ) {
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Float>()] as [any Evaluator] {
      #expect(throws: want) { try evaluator.evaluate(objective, scene) }
    }
  }

  /// What all four refuse.
  static func expectCommonRefusals<O: GridObjective>(_: O.Type) throws {
    let (objective, scene) = try (scene(O.self).objective, scene(O.self).scene)
    let heads = objective.heads

    let box = Box<Double>(x1: 4, y1: 6, x2: 28, y2: 30)
    try expectRefusal(
      objective, with(O.self, ImageTruths([box], labels: [3])),
      InvalidInput("labels", image: 0, index: 0, given: "class 3", expected: "0 ..< 3"))
    try expectRefusal(
      objective, with(O.self, ImageTruths([Box(x1: 9, y1: 2, x2: 3, y2: 4)], labels: [0])),
      InvalidInput(
        "boxes", image: 0, index: 0, given: "x1 = 9.0, x2 = 3.0",
        expected: "finite numbers, x1 ≤ x2"))
    try expectRefusal(
      objective, with(O.self, ImageTruths([box], labels: [])),
      InvalidInput("labels", image: 0, given: "0 labels", expected: "as many as boxes, 1"))

    var broken = scene
    broken.heads[0].data[7] = .nan
    expectRefusal(
      objective, broken,
      InvalidInput(
        heads[0], image: 0, level: 0, index: 7, given: "nan", expected: "a finite number"))
    broken = scene
    broken.heads.removeLast()
    expectRefusal(
      objective, broken,
      InvalidInput(
        "heads", given: "\(broken.heads.count) heads", expected: "\(heads.count), one a level"))
    broken = scene
    broken.truths.append(ImageTruths())
    expectRefusal(
      objective, broken,
      InvalidInput(
        "truths", given: "truths of \(broken.truths.count) images",
        expected: "\(scene.truths.count) images"))
    let channelAxis = O.isChannelsFirst ? 1 : 3
    broken = scene
    broken.heads[0].shape[channelAxis] = 23
    broken.heads[0].data.removeLast(broken.heads[0].data.count / 24)
    expectRefusal(
      objective, broken,
      InvalidInput(
        heads[0], level: 0, given: "23 channels", expected: "3 times 5 and the number of classes"))
  }

  /// A batch of no images, and images without truths.
  static func expectEmpty<O: GridObjective>(_: O.Type, silent: [Int]) throws {
    let (objective, scene) = try (scene(O.self).objective, scene(O.self).scene)
    let nothing = Scene(
      scene.heads.map { Tensor([0] + $0.shape.dropFirst(), []) }, [ImageTruths]())
    let bare = Scene(scene.heads, scene.truths.map { _ in ImageTruths() })
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Float>()] as [any Evaluator] {
      let none = try evaluator.evaluate(objective, nothing)
      #expect(none.terms == objective.terms.map { _ in 0 })
      let empty = try evaluator.evaluate(objective, bare)
      for (term, value) in empty.terms.enumerated() {
        #expect(silent.contains(term) ? value == 0 : value > 0, "\(objective.terms[term])")
      }
    }
  }
}

@Suite struct YOLOv3Tests {
  @Test func worked() throws {
    try GridExample.expect(
      YOLOv3.self, terms: [5.299544050943, 1.741882778230, 10.546468020207, 4.834985665976],
      total: 22.422880515355,
      gradients: [(4.902812265476, 1.268236963091), (10.697054436183, 5.626707496776)])
  }

  @Test func layers() throws {
    let worked = try GridExample.scene(YOLOv3.self)
    let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    let layers: [[Double]] = worked.objective.layerTerms(
      worked.scene.heads, worked.scene.truths, labels)
    GridExample.expectClose(
      layers[0], [2.300057847293, 0.804599695039, 1.714381415541, 2.110820086141])
    GridExample.expectClose(
      layers[1], [2.999486203649, 0.937283083192, 8.832086604666, 2.724165579835])
  }

  /// Best priors 5, 2 and 3; prior 3 is in both masks.
  @Test func labels() throws {
    let worked = try GridExample.scene(YOLOv3.self)
    let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    #expect(labels[0].positives.map(\.slot) == [2, 3])
    #expect(labels[1].positives.map(\.slot) == [1, 17])
    #expect(labels.map { $0.positives.map(\.truth) } == [[0, 0], [1, 0]])
    #expect(labels.map { $0.positives.map(\.classes) } == [[[1], [0]], [[2], [0]]])
    // Image 0, cell (0, 0), slot 0.
    #expect(labels[0].isOverlapping.allSatisfy { !$0 })
    #expect(labels[1].isOverlapping.indices.filter { labels[1].isOverlapping[$0] } == [0])
  }

  /// No prediction's largest IoU with its head's truths is nearer to 0.5 than this.
  @Test func margin() throws {
    let worked = try GridExample.scene(YOLOv3.self)
    let (objective, scene) = (worked.objective, worked.scene)
    let labels = objective.decide(scene.heads, scene.truths)
    var margin = Double.infinity
    for (head, labels) in zip(objective.gridHeads(scene.heads), labels) {
      for slot in 0..<head.grid.count {
        let image = head.grid.place(slot).image
        let best = labels.compared[image].map { i in
          head.box(slot).iou(objective.centered(scene.truths[image].boxes[i]))
        }.max()
        if let best { margin = Swift.min(margin, (best - 0.5).magnitude) }
      }
    }
    GridExample.expectClose([margin], [0.140260032996])
  }

  @Test func rescored() throws {
    try GridExample.expect(
      YOLOv3.self, "rescored",
      terms: [5.299544050943, 1.741882778230, 12.017713670483, 4.834985665976],
      total: 23.894126165631,
      gradients: [(5.044568260940, 1.929366863583), (10.913872064279, 6.359070604904)])
  }

  /// Believed and false: the order of an image's truths does not matter.
  @Test func orderMattersInOneCell() throws {
    try GridExample.expect(
      YOLOv3.self, "one cell",
      terms: [2.010104403156, 0.870051380401, 12.247562199288, 1.700191633202],
      total: 16.827909616046, gradients: [(3.994706962128, nil), (7.112821246121, nil)])
    try GridExample.expect(
      YOLOv3.self, "one cell, the other order",
      terms: [2.196025586373, 0.839910434636, 12.247562199288, 1.700191633202],
      total: 16.983689853499, gradients: [(4.272960563011, nil), (7.112821246121, nil)])
  }

  /// Believed and false: a perfect prediction costs nothing. At a place t in its cell an offset costs
  /// at least H(t): 0.610864 at 0.3.
  @Test func perfectOffsetsCostTheirEntropy() throws {
    let best = BinaryCrossEntropy().gradient(at: Item([Double.log(0.3 / 0.7)], [0.3]))
    GridExample.expectClose([best.value], [0.610864302055])
    #expect(best.prediction[0].magnitude < 1e-15)

    // A truth of 16 x 20 pixels, 22 and 10 pixels into the only cell, met exactly by its prior's slot.
    let objective = YOLOv3(
      priors: [PriorSize(16, 20)], masks: [[0]], strides: [32])
    let (x, y) = (22.0 / 32, 10.0 / 32)
    let raw = [Double.log(x / (1 - x)), .log(y / (1 - y)), 0, 0, 40, 40]
    let truth = ImageTruths([Box(x1: 14, y1: 0, x2: 30, y2: 20)], labels: [0])
    let result = try ReferenceEvaluator().evaluate(
      objective, Scene([Tensor([1, 1, 1, 6], raw)], [truth]))
    func entropy(_ t: Double) -> Double { -t * .log(t) - (1 - t) * .log(1 - t) }
    let scale = 2 - 16.0 * 20 / 1024
    GridExample.expectClose(result.terms, [scale * (entropy(x) + entropy(y)), 0, 0, 0])
    #expect(result.terms[0] > 2)
    #expect(result.gradients[0].data.allSatisfy { $0.magnitude < 1e-12 })
  }

  @Test func refusals() throws {
    try GridExample.expectCommonRefusals(YOLOv3.self)
    try refuseCells(YOLOv3.self)
    let wrong = YOLOv3(priors: [PriorSize(1, 1)], masks: [[1]], strides: [32])
    GridExample.expectRefusal(
      wrong, Scene([], []),
      InvalidInput("masks", level: 0, index: 0, given: "prior 1", expected: "0 ..< 1"))
    GridExample.expectRefusal(
      YOLOv3(priors: [PriorSize(0, 1)], masks: [[0]], strides: [32]), Scene([], []),
      InvalidInput("priors", index: 0, given: "0.0", expected: "a size above 0"))
  }

  @Test func empty() throws {
    try GridExample.expectEmpty(YOLOv3.self, silent: [0, 1, 3])
  }

  /// Two truths of one slot: the later box, both classes.
  @Test func classesAddUp() throws {
    let worked = try GridExample.scene(YOLOv3.self, "one cell")
    let labels = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    #expect(labels[0].positives.map(\.truth) == [1])
    #expect(labels[0].positives.map(\.classes) == [[1, 2]])
  }

  private func refuseCells<O: GridObjective>(_: O.Type) throws {
    let objective = try GridExample.scene(O.self).objective
    try GridExample.expectRefusal(
      objective,
      GridExample.with(O.self, ImageTruths([Box(x1: 4, y1: 6, x2: 28, y2: 6)], labels: [0])),
      InvalidInput(
        "boxes", image: 0, index: 0, given: "size 24.0 x 0.0",
        expected: "a width and a height above 0"))
    try GridExample.expectRefusal(
      objective,
      GridExample.with(O.self, ImageTruths([Box(x1: 28, y1: 4, x2: 36, y2: 8)], labels: [0])),
      InvalidInput(
        "boxes", image: 0, index: 0, given: "centre 32.0, 6.0",
        expected: "a centre inside the image, below 32.0, 32.0"))
  }

  // MARK: - Darknet

  @Test func darknet() throws {
    try GridExample.expect(
      Darknet.self, terms: [4.990227204893, 1.945187645579, 9.916461533340, 4.409863643756],
      total: 21.261740027567,
      gradients: [(4.223002188053, -0.696838270991), (10.352721438720, 3.611760804482)])
    try GridExample.expectCommonRefusals(Darknet.self)
    try refuseCells(Darknet.self)
    try GridExample.expectEmpty(Darknet.self, silent: [0, 1, 3])
  }

  /// What the program prints is Σ delta², and its delta is minus the gradient.
  @Test func darknetPrintsAnotherNumber() throws {
    for (name, cost) in [("layer 0", 3.301282210719), ("layer 1", 8.751186253346)] {
      let worked = try GridExample.scene(Darknet.self, name)
      let result = try ReferenceEvaluator().evaluate(worked.objective, worked.scene)
      let deltas = worked.objective.deltas(
        worked.scene.heads, worked.scene.truths, result.decisions)
      GridExample.expectClose([worked.objective.cost(deltas[0])], [cost])
      GridExample.expectClose(deltas[0].data, result.gradients[0].data.map { -$0 }, 1e-15)
      #expect((result.terms.reduce(0, +) - cost).magnitude > 2)
    }
  }

  @Test func darknetEndsAListOfTruthsAtZero() throws {
    let objective = try GridExample.scene(Darknet.self).objective
    try GridExample.expectRefusal(
      objective,
      GridExample.with(Darknet.self, ImageTruths([Box(x1: -4, y1: 4, x2: 4, y2: 8)], labels: [0])),
      InvalidInput(
        "boxes", image: 0, index: 0, given: "centre x = 0",
        expected: "a centre right of 0, which ends a list of truths"))
  }
}

import LossDefinitions
import Testing

/// The expected numbers are a separate program's.
@Suite struct YOLOv3SquaredTests {
  @Test func worked() throws {
    try GridExample.expect(
      YOLOv3Squared.self,
      terms: [0.505902920289, 0.490921728910, 0.673088376994, 3.730827373535, 1.808554300421],
      total: 7.209294700148,
      gradients: [(2.397920499848, 0.505358413092), (4.826368289975, 2.555018404592)])
  }

  @Test func rescored() throws {
    try GridExample.expect(
      YOLOv3Squared.self, "rescored",
      terms: [0.505902920289, 0.490921728910, 1.894130557783, 3.730827373535, 1.808554300421],
      total: 8.430336880937,
      gradients: [(2.664455000604, 1.772015951022), (5.220330376470, 3.937007662185)])
  }

  @Test func scales() throws {
    let worked = try GridExample.scene(YOLOv3Squared.self, "rescored")
    var objective = worked.objective
    (objective.coordinateScale, objective.objectScale, objective.noObjectScale) = (5, 1, 0.5)
    let terms = try ReferenceEvaluator().evaluate(objective, worked.scene).terms
    GridExample.expectClose(
      terms, [2.529514601443, 2.454608644548, 0.378826111557, 1.865413686767, 1.808554300421])
  }

  @Test func report() throws {
    let worked = try GridExample.scene(YOLOv3Squared.self)
    let report = try worked.objective.report(worked.scene.heads, worked.scene.truths)
    GridExample.expectClose(
      report.means,
      [0.252951460144, 0.245460864455, 0.336544188497, 1.865413686767, 0.904277150211])
    GridExample.expectClose([report.meanOverlap], [0.308143732916])
    #expect([report.positives, report.leftOut, report.background] == [4, 1, 25])
    let lines = report.description.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("xy        0.5059029202"))
    #expect(lines[5].hasPrefix("4 positives of mean IoU 0.3081437329"))
    #expect(lines[5].hasSuffix(", 1 left out, 25 background"))

    let bare = try worked.objective.report(
      worked.scene.heads, [ImageTruths(), ImageTruths()])
    #expect(bare.means.allSatisfy { $0.isFinite })
    #expect([bare.positives, bare.leftOut, bare.background] == [0, 0, 30])
  }

  /// A prediction that meets its truth exactly costs nothing, and has no gradient.
  @Test func perfectIsFree() throws {
    var objective = YOLOv3Squared()
    (objective.priors, objective.masks, objective.strides) = ([PriorSize(16, 16)], [[0]], [32])
    let raw = [0.0, 0, 0, 0, 800, 800]
    let truth = ImageTruths([Box(x1: 8, y1: 8, x2: 24, y2: 24)], labels: [0])
    for evaluator in [ReferenceEvaluator(), KernelEvaluator<Float>()] as [any Evaluator] {
      let result = try evaluator.evaluate(
        objective, Scene([Tensor([1, 1, 1, 6], raw)], [truth]))
      #expect(result.terms == [0, 0, 0, 0, 0])
      #expect(result.gradients[0].data.allSatisfy { $0 == 0 })
    }
  }

  /// Believed and false: a confident mistake is corrected fastest. The slope of (σ(x) − 1)² vanishes
  /// where σ does; the cross-entropy's does not.
  @Test func saturatedMistakesHardlyMove() throws {
    var objective = YOLOv3Squared()
    (objective.priors, objective.masks, objective.strides) = ([PriorSize(16, 16)], [[0]], [32])
    objective.objectScale = 1
    let truth = ImageTruths([Box(x1: 8, y1: 8, x2: 24, y2: 24)], labels: [0])
    func slope(_ x: Double) throws -> Double {
      let scene = Scene([Tensor([1, 1, 1, 6], [0, 0, 0, 0, x, 0])], [truth])
      return try ReferenceEvaluator().evaluate(objective, scene).gradients[0].data[4]
    }
    GridExample.expectClose([try slope(0)], [-0.25])
    GridExample.expectClose([try slope(-8)], [-0.000670250498], 1e-12)
    #expect(BinaryCrossEntropy().gradient(at: Item([-8], [1])).prediction[0] < -0.999)
  }

  @Test func refusalsAndEmpty() throws {
    try GridExample.expectCommonRefusals(YOLOv3Squared.self)
    try GridExample.expectEmpty(YOLOv3Squared.self, silent: [0, 1, 2, 4])
    let objective = try GridExample.scene(YOLOv3Squared.self).objective
    try GridExample.expectRefusal(
      objective,
      GridExample.with(
        YOLOv3Squared.self, ImageTruths([Box(x1: 4, y1: 6, x2: 4, y2: 30)], labels: [0])),
      InvalidInput(
        "boxes", image: 0, index: 0, given: "size 0.0 x 24.0",
        expected: "a width and a height above 0"))
  }
}

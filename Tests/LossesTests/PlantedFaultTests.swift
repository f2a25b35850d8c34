import LossDefinitions
import LossVerification
import Testing

/// A kernel with a fault: what the judge is there to find.
private struct Faulty: Evaluator {
  enum Fault: String, CaseIterable {
    case wrongSign, missingClamp, staleLane, skippedTail, epsilonTooMuch, attachedAlpha
    case gradientOff, neighbour
  }

  let fault: Fault

  func evaluate<L: Loss>(_ loss: L, _ items: [Item]) throws -> [Gradient<Double>] {
    let kernel = KernelEvaluator<Float>()
    var answers = try kernel.evaluate(loss, items)
    let lanes = FloatLanes.count
    switch fault {
    case .wrongSign:
      for i in answers.indices { answers[i].prediction[answers[i].prediction.count - 1].negate() }
    case .missingClamp:
      for i in answers.indices { answers[i].value = unclamped(items[i]) }
    case .staleLane:
      // The last lane of each vector still holds its neighbour.
      for i in answers.indices where i % lanes == lanes - 1 { answers[i] = answers[i - 1] }
    case .skippedTail:
      for i in answers.indices where i >= items.count / lanes * lanes {
        answers[i].value = 0
        answers[i].prediction = answers[i].prediction.map { _ in 0 }
      }
    case .epsilonTooMuch:
      if var ciou = loss as? CIoU {
        ciou.unionEpsilon += 1e-6
        return try kernel.evaluate(ciou, items)
      }
    case .attachedAlpha:
      if var ciou = loss as? CIoU {
        ciou.weight = .attached
        return try kernel.evaluate(ciou, items)
      }
    case .gradientOff:
      for i in answers.indices {
        answers[i].prediction = answers[i].prediction.map { $0 * 1.00001 }
      }
    case .neighbour:
      // One item's infinity reaches all of its batch.
      let sum = answers.reduce(0) { $0 + $1.value }
      for i in answers.indices { answers[i].value += 1e-5 * sum }
    }
    return answers
  }

  func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>, deciding decisions: O.Decisions?
  ) throws -> ObjectiveResult<O> {
    try KernelEvaluator<Float>().evaluate(objective, scene, deciding: decisions)
  }

  func solve<A: Assignment>(_ assignment: A, _ problem: A.Problem) throws -> A.Matching {
    try KernelEvaluator<Float>().solve(assignment, problem)
  }

  /// 1 − IoU without the clamp of the overlap at zero.
  private func unclamped(_ item: Item) -> Double {
    let (p, t) = (item.prediction, item.target)
    let overlap = (min(p[2], t[2]) - max(p[0], t[0])) * (min(p[3], t[3]) - max(p[1], t[1]))
    let areas = (p[2] - p[0]) * (p[3] - p[1]) + (t[2] - t[0]) * (t[3] - t[1])
    return Double(Float(1 - overlap / (areas - overlap)))
  }
}

@Suite struct PlantedFaultTests {
  /// The same items that hold for the kernel; 13 an batch, so that there is a tail.
  private func failures<L: Loss>(of candidate: any Evaluator, _: L.Type) -> Int {
    let configuration = L.configurations[0]
    return L.strata.reduce(0) { sum, stratum in
      let items = Verification.items(
        configuration, stratum, count: 13, seed: 5, precision: .float)
      let tally = check(
        configuration.loss.roundedToFloat, items, candidate: candidate, precision: .float)
      return sum + tally.failures
    }
  }

  @Test(arguments: Faulty.Fault.allCases)
  fileprivate func isFound(_ fault: Faulty.Fault) {
    switch fault {
    case .missingClamp:
      #expect(failures(of: Faulty(fault: fault), IoU.self) > 0)
      #expect(failures(of: KernelEvaluator<Float>(), IoU.self) == 0)
    default:
      #expect(failures(of: Faulty(fault: fault), CIoU.self) > 0)
      #expect(failures(of: KernelEvaluator<Float>(), CIoU.self) == 0)
    }
  }

  @Test(arguments: Listed.all)
  func aWrongSignIsFoundInEveryLoss(_ listed: Listed) {
    func find<E: CatalogEntry>(_ entry: E) {
      #expect(failures(of: Faulty(fault: .wrongSign), E.L.self) > 0)
    }
    find(listed.entry)
  }
}

import LossDefinitions
import Testing

/// What the rules of the class losses' chapters say of numbers that are not finite, and of rows at the
/// edges of their domain, in references and kernels alike.
@Suite struct ClassLossTests {
  static let evaluators: [any Evaluator] = [
    ReferenceEvaluator(), KernelEvaluator<Float>(), KernelEvaluator<Double>(),
  ]

  @Test(arguments: [Double.nan, .infinity])
  func aLogitThatIsNoNumberSpoilsItsRowAlone(_ logit: Double) throws {
    var rows = (0..<11).map { row in Item((0..<5).map { Double(row * $0 % 7) }, [2]) }
    rows[4].prediction[2] = logit
    for evaluator in Self.evaluators {
      let results = try evaluator.evaluate(SparseSoftmaxCrossEntropy(), rows)
      for (row, result) in results.enumerated() {
        #expect(result.value.isNaN == (row == 4))
        #expect(result.prediction.allSatisfy { $0.isNaN == (row == 4) })
      }
    }
  }

  @Test func noNumberOfAMassOrABinSpoilsItsRow() throws {
    for evaluator in Self.evaluators {
      let masses = [Item([1, 2, 3], [0.5, .nan, 0.5]), Item([1, 2, 3], [0.5, 0, 0.5])]
      let dense = try evaluator.evaluate(SoftmaxCrossEntropy(), masses)
      #expect(dense[0].value.isNaN && dense[1].value.isFinite)
      let bins = [Item([1, 2, 3], [.nan]), Item([1, 2, 3], [0.5])]
      let results = try evaluator.evaluate(DistributionFocal(), bins)
      #expect(results[0].value.isNaN && results[1].value.isFinite)
    }
  }

  @Test func aLogitOfMinusInfinityContributesNothing() throws {
    let without = Item([1, 2.5, -1], [1])
    let with = Item([1, 2.5, -1, -.infinity], [1])
    let targeted = Item([1, 2.5, -1, -.infinity], [3])
    for evaluator in Self.evaluators {
      let results = try evaluator.evaluate(SparseSoftmaxCrossEntropy(), [without, with, targeted])
      #expect(results[0].value == results[1].value)
      #expect(results[0].prediction + [0] == results[1].prediction)
      #expect(results[2].value == .infinity)
      #expect(results[2].prediction.allSatisfy { $0.isFinite })
      #expect(results[2].prediction[3] == -1)

      let masses = [Item(with.prediction, [0, 1, 0, 0]), Item(with.prediction, [0, 0.5, 0, 0.5])]
      let dense = try evaluator.evaluate(SoftmaxCrossEntropy(), masses)
      #expect(dense[0].value == results[1].value)
      #expect(dense[1].value == .infinity)
    }
  }

  @Test func logitsThatAreAllMinusInfinityHaveNoSoftmax() throws {
    let row = Item([-.infinity, -.infinity], [0])
    for evaluator in Self.evaluators {
      let result = try evaluator.evaluate(SparseSoftmaxCrossEntropy(), [row])[0]
      #expect(result.value.isNaN)
    }
  }

  @Test func theLastBinIsReachedFromBelow() throws {
    let x = [0.5, -1, 2, 0.25]
    let below = 3.0 - 0x1p-22
    for evaluator in Self.evaluators {
      let results = try evaluator.evaluate(DistributionFocal(), [Item(x, [3]), Item(x, [below])])
      let sparse = try evaluator.evaluate(SparseSoftmaxCrossEntropy(), [Item(x, [3])])
      #expect(results[0].value == sparse[0].value)
      #expect(abs(results[0].value - results[1].value) < 0x1p-20)
    }
  }

  /// A lead of 60 leaves e^−60 for each other class; formulas that hold 1 in the sum give 0.
  @Test func smallLossesKeepTheirDigits() throws {
    let row = Item([60, 0, 0, 0], [0])
    let truth = 2.6269532288089563e-26
    for evaluator in Self.evaluators {
      let result = try evaluator.evaluate(SparseSoftmaxCrossEntropy(), [row])[0]
      #expect(abs(result.value - truth) <= 0x1p-21 * truth)
      #expect(abs(result.prediction[0] + truth) <= 0x1p-21 * truth)
    }
  }

  @Test func clippedProbabilitiesHaveNoSlope() throws {
    for evaluator in Self.evaluators {
      let result = try evaluator.evaluate(
        CrossEntropyFromProbabilities(), [Item([0, 1], [1, 0]), Item([1], [1])])
      #expect(result[0].prediction == [0, 0])
      #expect(result[1].prediction == [0])
      #expect(abs(result[0].value - 16.118095650958) < 1e-5)
    }
  }
}

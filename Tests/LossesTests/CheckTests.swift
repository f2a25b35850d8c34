import LossDefinitions
import LossVerification
import Testing

/// A loss's catalog entry as a test's argument, under its name.
struct Listed: CustomTestStringConvertible, Sendable {
  let entry: any CatalogEntry
  var testDescription: String { entry.loss.name }

  static let all = catalog.map { Listed(entry: $0) }
}

@Suite struct CheckTests {
  @Test func catalogNamesAreUnique() {
    let names = definitions.map { $0.name }
    #expect(Set(names).count == names.count)
  }

  /// Every claim, on fewer items than `lossref verify` draws and from another seed: values and
  /// gradients against the oracle, kinks, laws, differences, order and neighbours.
  @Test(arguments: definitions.map { $0.name })
  func everyClaimHolds(_ name: String) {
    var verification = Verification()
    verification.losses = [name]
    verification.cases = 2000
    verification.seed = 20
    let report = verification.run()[0]
    let precisions = report.kind == .assignment ? [report.double] : [report.float, report.double]
    for figures in precisions {
      #expect(figures.failures == 0, "\(figures.findings.prefix(2))")
      #expect(figures.inconclusive == 0)
      #expect(figures.differences > 0 || report.kind == .assignment)
      #expect(figures.lawsHeld > 0)
    }
  }

  @Test func theSameSeedGivesTheSameReport() {
    var verification = Verification()
    verification.losses = ["mse"]
    verification.cases = 500
    let first = verification.run()[0]
    let second = verification.run()[0]
    #expect(first.float.value.prediction == second.float.value.prediction)
    #expect(first.float.value.ulps == second.float.value.ulps)
    verification.seed = 2
    #expect(verification.run()[0].float.value.prediction != first.float.value.prediction)
  }
}

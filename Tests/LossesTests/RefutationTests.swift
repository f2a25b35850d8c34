import LossDefinitions
import LossVerification
import Testing

/// Nobody, searching, refutes the claimed limits and inequalities of losses of boxes, keypoints and
/// coordinates.
@Suite struct RefutationTests {
  @Test(arguments: Listed.all.filter { isSearched($0.entry) })
  func noClaimIsRefuted(_ listed: Listed) {
    func search<E: CatalogEntry>(_ entry: E) -> [Refutation.Approach] {
      guard let loss = E.L.self as? any FixedWidthLoss.Type else { return [] }
      return Refutation().approaches(loss)
    }
    for found in search(listed.entry) {
      print(
        "\(listed.entry.loss.name): \(found.law): \(found.greater) against \(found.lesser)",
        "(\(found.configuration), \(found.evaluations) evaluations)")
      #expect(found.evaluations >= 100_000)
      #expect(
        found.counterexample == nil, "\(found.law), \(found.configuration), at \(found.item)")
    }
  }

  /// A claim that is false is refuted: the search can find what it looks for.
  @Test func aFalseClaimIsRefuted() throws {
    let found = try #require(Refutation(evaluations: 20_000).approaches(TooLow.self).first)
    #expect(found.greater == 1.9)
    #expect(found.lesser > 1.9)
    #expect(found.counterexample != nil)
  }

  private static func isSearched(_ entry: any CatalogEntry) -> Bool {
    func difference<E: CatalogEntry>(_: E) -> Bool {
      if case .negated = E.L.targetGradient { true } else { false }
    }
    switch entry.loss.family {
    case .boxes, .rotatedBoxes, .keypoints: return true
    case .elements: return difference(entry)
    default: return false
    }
  }
}

/// GIoU with a bound that only distant boxes exceed.
private struct TooLow: BoxLoss {
  static let name = "too_low"
  static let laws: [Law<Self>] = [.bounded(by: 1.9)]
  static let hyperparameters: [Hyperparameter<Self>] = []

  func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S { GIoU().reference(p, t) }

  func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    GIoU().optimized(p, t)
  }
}

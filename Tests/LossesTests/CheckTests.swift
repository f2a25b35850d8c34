import LossDefinitions
import LossVerification
import Testing

@Suite struct CheckTests {
  @Test func catalogNamesAreUnique() {
    let names = catalog.map { $0.loss.name }
    #expect(Set(names).count == names.count)
  }
}

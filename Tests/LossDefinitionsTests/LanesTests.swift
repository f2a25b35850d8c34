import LossDefinitions
import Testing

@Suite struct LanesTests {
  @Test func exponentialOfZero() { #expect(FloatLanes.exp(.zero)[0] == 1) }
}

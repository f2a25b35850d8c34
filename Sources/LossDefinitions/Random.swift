/// A small generator of random bits whose whole state is its seed: the same items on every machine.
public struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// A seed from words, so that adding a loss or a stratum moves no other's items.
  public init(seed: UInt64, _ words: String...) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
    for word in words {
      for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x0000_0100_0000_01b3
    }
    state = hash
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high), from 53 random bits.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * (Double(next() >> 11) * 0x1p-53)
  }

  /// A number whose order of magnitude is uniform between `low` and `high`: a power of two times a
  /// uniform fraction, so that no rounding of a logarithm enters.
  public mutating func logarithmic(_ low: Double, _ high: Double) -> Double {
    func position(_ x: Double) -> Double { Double(x.exponent) + (x.significand - 1) }
    let at = uniform(position(low), position(high))
    let floor = at.rounded(.down)
    return Double(sign: .plus, exponent: Int(floor), significand: 1 + (at - floor))
  }

  public mutating func integer(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  public mutating func chance(_ probability: Double) -> Bool { uniform(0, 1) < probability }
  public mutating func sign() -> Double { next() & 1 == 0 ? 1 : -1 }

  public mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int(next() % UInt64(choices.count))]
  }
}

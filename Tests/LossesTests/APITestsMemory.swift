#if canImport(Glibc) && arch(x86_64)
  import Glibc
  import LossDefinitions
  import Losses
  import Testing

  @Suite struct APIMemoryTests {
    @Test(arguments: [1, 16, 300])
    func valueAndGradientAllocateNothing(_ count: Int) throws {
      let boxes = [[Float]](repeating: [0, 0, 2, 2], count: count).flatMap { $0 }
      let truths = [[Float]](repeating: [0, 1, 3, 3], count: count).flatMap { $0 }
      let weights = [Float](repeating: 0.5, count: count)
      var gradient = [Float](repeating: 0, count: boxes.count)
      var value = 0.0
      let changes = try Self.newMemory {
        value = try CIoU().value(
          boxes, truths, weights: weights, normalizer: .mean, gradient: &gradient)
      }
      #expect(Self.usual(changes) == 0)
      #expect(value > 0)

      let doubles = boxes.map { Double($0) }
      var slopes = doubles
      let others = try Self.newMemory {
        _ = try Huber().value(doubles, doubles, gradient: &slopes)
      }
      #expect(Self.usual(others) == 0)
    }

    /// What the method sees: a small array that is freed again.
    @Test func aFreedArrayIsSeen() throws {
      let numbers: [Float] = [1, 2, 3, 4]
      var total: Float = 0
      let changes = try Self.newMemory { total += try Huber().values(numbers, numbers)[3] }
      #expect(Self.usual(changes) > 0)
      #expect(total == 0)
    }

    /// The most frequent of the changes: other threads disturb some runs, each in its own way.
    private static func usual(_ changes: [Int]) -> Int {
      let counts = Dictionary(grouping: changes) { $0 }.mapValues(\.count)
      return counts.max { $0.value < $1.value }?.key ?? -1
    }

    /// By how much the memory in use grows over each of forty runs.
    ///
    /// The allocator counts freed chunks of its thread cache as used, so a chunk that goes there and was
    /// not there before shows, even if it is free again: the cache is emptied first. That sees
    /// allocations of up to 1032 bytes, and larger ones that stay.
    private static func newMemory(_ body: () throws -> Void) throws -> [Int] {
      let inUse = try #require(bytesInUse)
      try body()
      return try (0..<40).map { _ in
        var held: [UnsafeMutableRawPointer?] = []
        held.reserveCapacity(64 * 32)
        for size in stride(from: 24, through: 1032, by: 16) {
          for _ in 0..<32 { held.append(malloc(size)) }
        }
        let before = inUse()
        try body()
        let after = inUse()
        for chunk in held { free(chunk) }
        return after - before
      }
    }

    /// `uordblks` of glibc's mallinfo2, which its module does not declare: ten words, of which it is the
    /// eighth, written where the first argument points.
    private static let bytesInUse: (@Sendable () -> Int)? = {
      typealias Query = @convention(c) (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<Int>?
      guard let symbol = dlsym(nil, "mallinfo2") else { return nil }
      let query = unsafeBitCast(symbol, to: Query.self)
      return {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 10) { words in
          words.initialize(repeating: 0)
          guard let base = words.baseAddress else { return 0 }
          _ = query(base)
          return words[7]
        }
      }
    }()
  }
#endif

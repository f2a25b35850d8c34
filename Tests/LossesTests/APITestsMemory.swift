#if canImport(Glibc) && arch(x86_64)
  import Glibc
  import LossDefinitions
  import Losses
  import Testing

  /// Each test measures in a process of its own, where no other test's thread allocates.
  @Suite struct APIMemoryTests {
    @Test func valueAndGradientAllocateNothing() async {
      await #expect(processExitsWith: .success) {
        for count in [1, 16, 300] {
          let boxes = [[Float]](repeating: [0, 0, 2, 2], count: count).flatMap { $0 }
          let truths = [[Float]](repeating: [0, 1, 3, 3], count: count).flatMap { $0 }
          let weights = [Float](repeating: 0.5, count: count)
          var gradient = [Float](repeating: 0, count: boxes.count)
          var value = 0.0
          let growth = try Self.growth {
            value = try CIoU().value(
              boxes, truths, weights: weights, normalizer: .mean, gradient: &gradient)
          }
          try #require(growth == 0)
          try #require(value > 0)

          let doubles = boxes.map { Double($0) }
          var slopes = doubles
          let others = try Self.growth {
            _ = try Huber().value(doubles, doubles, gradient: &slopes)
          }
          try #require(others == 0)
        }
      }
    }

    @Test func aSecondBatchAllocatesNothing() async {
      await #expect(processExitsWith: .success) {
        let worked = try #require(YOLOv8.worked.first { $0.name == "batch" })
        let (objective, truths) = (worked.objective, worked.scene.truths)
        let heads = worked.scene.heads.map { head in
          let values = UnsafeMutablePointer<Float>.allocate(capacity: 2 * head.data.count)
          for (i, x) in head.data.enumerated() { values[i] = Float(x) }
          return HeadBuffer(
            shape: head.shape, values: values, gradient: values + head.data.count)
        }
        let workspace = YOLOv8Workspace()
        var total = 0.0
        let growth = try Self.growth {
          let terms = try workspace(objective, boxes: heads[0], scores: heads[1], truths)
          total += terms.box + terms.classes + terms.distribution
        }
        try #require(growth == 0)
        try #require(total > 0)
      }
    }

    /// What the method sees: a small array that is freed again.
    @Test func aFreedArrayIsSeen() async {
      await #expect(processExitsWith: .success) {
        let numbers: [Float] = [1, 2, 3, 4]
        var total: Float = 0
        let growth = try Self.growth { total += try Huber().values(numbers, numbers)[3] }
        try #require(growth > 0)
        try #require(total == 0)
      }
    }

    /// By how much the memory in use grows over a run.
    ///
    /// The allocator counts freed chunks of its thread cache as used, so a chunk that goes there and was
    /// not there before shows, even if it is free again: the cache is emptied first. That sees
    /// allocations of up to 1032 bytes, and larger ones that stay.
    private static func growth(_ body: () throws -> Void) throws -> Int {
      let inUse = try #require(bytesInUse)
      try body()
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

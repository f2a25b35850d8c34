// What the optimized version of SimOTA searches with.

extension SimOTA {
  /// The candidates, and for each truth which of them are inside its window.
  func windows(_ problem: Problem) -> ([Int], [[Bool]]) {
    var isCandidate = [Bool](repeating: false, count: problem.points.count)
    var inside: [[Int]] = []
    for truth in problem.truths.boxes {
      var own: [Int] = []
      for (a, point) in problem.points.enumerated() {
        let near = isNear(point, truth)
        if window == .center {
          guard near else { continue }
          own.append(a)
        } else {
          let inBox = isInBox(point, truth)
          guard near || inBox else { continue }
          if near && inBox { own.append(a) }
        }
        isCandidate[a] = true
      }
      inside.append(own)
    }
    let candidates = isCandidate.indices.filter { isCandidate[$0] }
    var place = [Int](repeating: 0, count: isCandidate.count)
    for (j, a) in candidates.enumerated() { place[a] = j }
    let isInside = inside.map { own in
      var row = [Bool](repeating: false, count: candidates.count)
      for a in own { row[place[a]] = true }
      return row
    }
    return (candidates, isInside)
  }

  /// The first k of the indices below `count` in an order, ties by index: kept sorted while scanning.
  func smallest(_ k: Int, of count: Int, _ precedes: (Int, Int) -> Bool) -> [Int] {
    var best: [Int] = []
    guard k > 0 else { return best }
    for j in 0..<count {
      if best.count == k {
        guard precedes(j, best[k - 1]) else { continue }
        best.removeLast()
      }
      var at = best.count
      while at > 0, precedes(j, best[at - 1]) { at -= 1 }
      best.insert(j, at: at)
    }
    return best
  }
}

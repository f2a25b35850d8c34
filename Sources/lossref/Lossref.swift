@main struct Lossref { static func main() {} }

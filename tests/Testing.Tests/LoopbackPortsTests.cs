namespace Detection.Testing.Tests;

public sealed class LoopbackPortsTests
{
    [Fact]
    public void Each_port_is_handed_out_once_from_the_block_of_the_process()
    {
        int[] ports = [.. Enumerable.Range(0, 100).Select(static _ => LoopbackPorts.Next())];

        Assert.Equal(ports.Length, ports.Distinct().Count());
        var block = Assert.Single(ports.Select(static port => port / 1000).Distinct());
        var path = Path.Combine(Path.GetTempPath(), "detection-test-ports", $"{block * 1000}.lock");
        Assert.Throws<IOException>(() => new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose());
    }
}

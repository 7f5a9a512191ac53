using Detection.Hosting;

namespace Detection.Deployment.Tests.Configuration;

public sealed class OpenFileLimitTests
{
    [Theory]
    [InlineData("Max open files            1024                 524288               files", 1024, 384)]
    [InlineData("Max open files            unlimited            unlimited            files", long.MaxValue, long.MaxValue - 640)]
    [InlineData("Max open files            600                  600                  files", 600, 16)]
    [InlineData("Max cpu time              9                    9                    seconds", long.MaxValue, long.MaxValue - 640)]
    public void Open_file_limit_is_read_as_the_system_writes_it(string line, long limit, long connections)
    {
        Assert.Equal(limit, OpenFileLimit.Parse(["Limit                     Soft Limit           Hard Limit           Units", line]));
        Assert.Equal(connections, OpenFileLimit.ConnectionsWithin(limit));
    }
}

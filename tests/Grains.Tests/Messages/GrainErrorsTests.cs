using Detection.Contracts.Messages;
using Detection.Contracts.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Messages;

/// <summary>Errors of a grain keep their type.</summary>
public sealed class GrainErrorsTests
{
    private static readonly Exception[] OfRedis =
    [
        new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "SocketClosed on 127.0.0.1:6379/Interactive"),
        new RedisTimeoutException(CommandFlags.None, "Timeout awaiting response", CommandStatus.Sent),
        new RedisServerException(RedisErrorKind.ReadOnly, CommandFlags.None, "READONLY You can't write against a read only replica."),
        new RedisException("EXECABORT Transaction discarded."),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, OfRedis.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void Error_of_Redis_keeps_its_type_over_the_wire(int index)
    {
        using var services = new ServiceCollection().AddSerializer().AddGrainErrors().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<Exception>>();

        var arrived = serializer.Deserialize(serializer.SerializeToArray(OfRedis[index]));

        Assert.NotNull(arrived);
        Assert.Equal(OfRedis[index].GetType(), arrived.GetType());
        Assert.Equal(OfRedis[index].Message, arrived.Message);
        Assert.True(RedisConnection.IsOutage(arrived));
    }

    [Fact]
    public void IsFull_is_true_after_the_wire()
    {
        using var services = new ServiceCollection().AddSerializer().AddGrainErrors().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<Exception>>();
        var full = new RedisServerException(RedisErrorKind.OutOfMemory, CommandFlags.None, "OOM command not allowed when used memory > 'maxmemory'.");
        Assert.True(RedisConnection.IsFull(full));

        Assert.True(RedisConnection.IsFull(serializer.Deserialize(serializer.SerializeToArray(full))));
    }
}

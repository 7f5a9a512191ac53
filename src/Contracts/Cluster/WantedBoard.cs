using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Contracts.Cluster;

/// <summary>
/// The models that administrators want in the cluster. A record is removed by the administrator who wants the model no more, and expires a month after
/// the last silo has read it.
/// </summary>
/// <param name="connections">The connections of the process.</param>
/// <param name="keys">Keys of the cluster in Redis.</param>
public sealed class WantedBoard(RedisConnections connections, RedisKeys keys)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>All records, with what silos have found.</summary>
    public async Task<IReadOnlyList<WantedModel>> ReadAsync()
    {
        var database = await DatabaseAsync();
        var records = await database.HashGetAllAsync(keys.Wanted);
        if (records.Length == 0)
        {
            return [];
        }

        var pins = (await database.HashGetAllAsync(keys.WantedPins)).ToDictionary(static pin => (string)pin.Name!, static pin => (byte[])pin.Value!);
        return
        [
            .. from record in records
               let wanted = WantedModel.Deserialize((byte[])record.Value!)
               where wanted is not null
               select wanted with { Pin = pins.TryGetValue(wanted.Id, out var pin) ? ModelPin.Deserialize(pin) : null },
        ];
    }

    /// <summary>Prolongs the lifetime of the records.</summary>
    public async Task KeepAsync()
    {
        var database = await DatabaseAsync();
        await Task.WhenAll(database.KeyExpireAsync(keys.Wanted, Lifetime), database.KeyExpireAsync(keys.WantedPins, Lifetime));
    }

    /// <summary>Writes that a model is wanted, in the place of an earlier record of its name.</summary>
    public async Task WriteAsync(WantedModel wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        await RemoveAsync(wanted.Name);
        await (await DatabaseAsync()).HashSetAsync(keys.Wanted, wanted.Name, wanted.Serialize());
        await KeepAsync();
    }

    /// <summary>Writes what a silo found for a record, unless another was first.</summary>
    public async Task PinAsync(string id, ModelPin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        await (await DatabaseAsync()).HashSetAsync(keys.WantedPins, id, pin.Serialize(), When.NotExists);
        await KeepAsync();
    }

    /// <summary>Removes the record of a name.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveAsync(string name)
    {
        var database = await DatabaseAsync();
        if ((byte[]?)await database.HashGetAsync(keys.Wanted, name) is { } json && WantedModel.Deserialize(json) is { } before)
        {
            await database.HashDeleteAsync(keys.WantedPins, before.Id);
        }

        return await database.HashDeleteAsync(keys.Wanted, name);
    }

    private async ValueTask<IDatabase> DatabaseAsync() => (await connections.ConnectAsync()).GetDatabase();
}

import { createServer, type AddressInfo, type Socket } from 'node:net';

/** How the server treats the next mails. */
export type SmtpMode =
  'accept' | 'cut after content' | 'cut before content' | 'busy' | 'refuse recipient' | 'refuse content';

/** A mail server of a few lines: takes one connection per mail and does as its mode says. */
export class SmtpServer {
  /** Contents that reached the server, accepted or not. */
  readonly received: string[] = [];
  readonly accepted: string[] = [];
  mode: SmtpMode = 'accept';
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((socket) => this.serve(socket));

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    let buffered = '';
    let inContent = false;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => socket.destroy());
    socket.write('220 test ESMTP\r\n');
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      buffered += chunk;
      for (;;) {
        const end = inContent ? buffered.indexOf('\r\n.\r\n') : buffered.indexOf('\r\n');
        if (end < 0) return;
        const unit = buffered.slice(0, end);
        buffered = buffered.slice(end + (inContent ? 5 : 2));
        inContent = inContent ? this.onContent(socket, unit) : this.onCommand(socket, unit);
      }
    });
  }

  private onContent(socket: Socket, content: string): false {
    this.received.push(content);
    if (this.mode === 'cut after content') socket.destroy();
    else if (this.mode === 'refuse content') socket.write('554 not that\r\n');
    else {
      this.accepted.push(content);
      socket.write('250 taken\r\n');
    }
    return false;
  }

  private onCommand(socket: Socket, line: string): boolean {
    const command = line.slice(0, 4).toUpperCase();
    if (command === 'DATA' && this.mode === 'cut before content') {
      socket.destroy();
      return false;
    }
    const replies: Record<string, string> = {
      EHLO: '250 test',
      RCPT: this.recipientReply(),
      DATA: '354 go on',
      QUIT: '221 bye',
    };
    socket.write(`${replies[command] ?? '250 ok'}\r\n`);
    return command === 'DATA';
  }

  private recipientReply(): string {
    if (this.mode === 'busy') return '450 busy';
    return this.mode === 'refuse recipient' ? '550 nobody here' : '250 ok';
  }
}
